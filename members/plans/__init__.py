"""Paid membership: plans, subscriptions, their payments, and what they bring while they are paid."""
