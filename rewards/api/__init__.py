"""The REST API of rewards."""
