"""Real parts for the tests: database servers, Redis, the site as processes, a mail sink."""
