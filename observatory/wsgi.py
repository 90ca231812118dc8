"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observatory.settings.service")
os.environ["PGAPPNAME"] = "llm-observatory web"  # what pg_stat_activity shows, and db_pool_connections counts
application = get_wsgi_application()
