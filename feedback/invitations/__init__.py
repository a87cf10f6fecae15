"""Who is asked and when; who is not, and why."""
