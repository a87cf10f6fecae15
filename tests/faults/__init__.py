"""What is killed, emptied or started twice, and what must not come of it."""
