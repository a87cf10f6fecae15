"""Who: logins, members, persons, consent, stores and API keys."""
