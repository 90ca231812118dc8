"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from observatory.env import read

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observatory.settings.service")
os.environ["PGAPPNAME"] = "llm-observatory web"  # what pg_stat_activity shows, and db_pool_connections counts
# A statement of a request ends before the request does; the worker's and the commands' may take longer.
_STATEMENT_MS = max(1, read("REQUEST_TIMEOUT_SECONDS") - 2) * 1000
os.environ["PGOPTIONS"] = f"-c statement_timeout={_STATEMENT_MS} {os.environ.get('PGOPTIONS', '')}".strip()
application = get_wsgi_application()
