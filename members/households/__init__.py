"""Households: members who use their points together, each with an account of their own."""
