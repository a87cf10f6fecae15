"""Birthdays: the gift once per year, and the greeting for those who want to hear from us."""
