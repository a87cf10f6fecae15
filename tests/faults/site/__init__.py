"""Faults of the running site; its tests share one shop, so no other test stands here."""
