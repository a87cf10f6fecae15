"""Who the members are, what they bought, how many points they have and which tier."""
