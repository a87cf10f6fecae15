"""Deliveries: planned as rows, checked at the hand-over, given to a channel, and what became of them."""
