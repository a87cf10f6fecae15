"""The check that every text is translated."""
