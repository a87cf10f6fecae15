"""Measurements of the product beside the floor it stands on."""
