"""Rewards that members have put on their wish list, and the news about them."""
