"""How many are left: the count, and every movement that made it."""
