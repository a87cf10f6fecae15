"""Reminders of points that are about to expire."""
