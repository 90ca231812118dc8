"""The WSGI application that granian serves."""

import os

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, reset_queries
from django.urls import get_resolver

from observatory.env import read

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observatory.settings.service")
os.environ["PGAPPNAME"] = "llm-observatory web"  # what pg_stat_activity shows, and db_pool_connections counts
# A statement of a request ends before the request does; the worker's and the commands' may take longer.
_STATEMENT_MS = max(1, read("REQUEST_TIMEOUT_SECONDS") - 2) * 1000
os.environ["PGOPTIONS"] = f"-c statement_timeout={_STATEMENT_MS} {os.environ.get('PGOPTIONS', '')}".strip()
_django = get_wsgi_application()

from observatory.bodies import WholeBodies  # noqa: E402  what they import wants settings that are read
from observatory.garbage import look_rarely_for_circles  # noqa: E402  as above
from observatory.middleware.again import AskedAgainFirst  # noqa: E402  as above

get_resolver().url_patterns  # noqa: B018  what views import is not what the first requests wait for
application = AskedAgainFirst(WholeBodies(_django, threads=settings.WEB_THREADS))
# Connections are looked after when a request is met, and that is enough: they are kept, those to Redis too, and the
# list of statements is one of DEBUG.
request_started.disconnect(close_old_connections)
request_finished.disconnect(close_old_connections)
request_finished.disconnect(close_caches)
request_started.disconnect(reset_queries)
look_rarely_for_circles()
