"""Purchases from files: read, checked, grouped by document, recorded through the door that all others use."""
