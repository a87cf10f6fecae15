"""Tiers: how they are reached, and who stands where since when and why."""
