"""The composition root: settings, addresses, Celery and the commands that run the whole site."""
