"""The site for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Nobody waits longer for a page; commands and workers may.
os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "15")

application = get_wsgi_application()
