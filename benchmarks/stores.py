"""Throwaway servers with the durability of real ones, and Django set up to use them."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from observatory.env import SETTINGS
from observatory.supervisor.launch import embedded_addresses
from observatory.supervisor.postgres import EmbeddedPostgres
from observatory.supervisor.valkey import EmbeddedValkey


@contextmanager
def stores() -> Iterator[None]:
    """Run PostgreSQL and Valkey on a temporary folder, with a migrated database; all of it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="llmo-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # root's PostgreSQL runs as another user
        with EmbeddedPostgres(home) as postgres, EmbeddedValkey(home) as valkey:
            addresses = embedded_addresses(postgres)
            # Nothing of the operator's own service may leak in: every setting is a default or one of these.
            for setting in SETTINGS:
                os.environ.pop(setting.name, None)
            os.environ |= {
                "DJANGO_SETTINGS_MODULE": "observatory.settings.service",
                "OBSERVATORY_HOME": str(home),
                "DATABASE_URL": addresses.service,
                "DATABASE_MIGRATION_URL": addresses.owner,
                "REDIS_URL": valkey.url,
                "SECRET_KEY": secrets.token_hex(32),
                "JWT_SECRET": secrets.token_hex(32),
                "LOG_LEVEL": "warning",
            }
            django.setup()
            call_command("prepare")
            try:
                yield
            finally:
                django.db.connections.close_all()
