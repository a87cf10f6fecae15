"""What members said, and what of it stands."""
