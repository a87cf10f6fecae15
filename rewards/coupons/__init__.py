"""Coupons that members are sent, claim, or pass on: rewards for no points."""
