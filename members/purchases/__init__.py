"""Purchases and returns: what shops report, by API, file or hand."""
