"""The arithmetic of scores. Pure: no database, no clock."""
