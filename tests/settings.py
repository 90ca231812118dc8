"""Settings of the test suite: the service's own, against servers that the suite has started."""

import os
from pathlib import Path

# Type checking and `makemigrations --check` load the settings without servers; only pytest starts them.
os.environ.setdefault("OBSERVATORY_HOME", "/nonexistent")
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@localhost/nothing")
os.environ.setdefault("SECRET_KEY", "tests sign their cursors and sessions with this")
os.environ.setdefault("JWT_SECRET", "tests sign their access tokens with this one")

from observatory.settings.base import *  # noqa: F403  the environment above comes first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each process of the suite has a database, and clears away files that belong to no job of it.
EXPORT_DIR = Path(os.environ["OBSERVATORY_HOME"]) / "exports" / os.environ.get("PYTEST_XDIST_WORKER", "gw0")
API_BASE_URL = DOCS_BASE_URL = "http://testserver"
# Tests that are about limits set their own; the others must not run into one another's.
RATE_LIMIT_PER_MINUTE = dict.fromkeys(RATE_LIMIT_PER_MINUTE, 1000000)  # noqa: F405
# On a busy machine a server that is there may take longer to answer than the service would wait.
RATE_LIMIT_TIMEOUT_MS = 5000
CACHES["default"]["OPTIONS"] |= {"SOCKET_CONNECT_TIMEOUT": 5, "SOCKET_TIMEOUT": 5}  # noqa: F405
