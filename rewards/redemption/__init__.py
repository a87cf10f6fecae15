"""Redeeming, what becomes of a redemption, and the check of the books."""
