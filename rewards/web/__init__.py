"""The pages of rewards."""
