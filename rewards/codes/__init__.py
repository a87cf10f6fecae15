"""Prepared codes of rewards, each given once."""
