"""Throwaway servers with the durability of real ones, and Django set up to use them."""

import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
import psycopg
from django.core.management import call_command
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from observatory.env import SETTINGS
from observatory.supervisor.external import Addresses
from observatory.supervisor.launch import embedded_addresses
from observatory.supervisor.postgres import EmbeddedPostgres
from observatory.supervisor.roles import DATABASE, OWNER, SERVICE, make_embedded_roles
from observatory.supervisor.valkey import EmbeddedValkey


@contextmanager
def stores(server: str = "") -> Iterator[None]:
    """Run PostgreSQL and Valkey on a temporary folder, with a migrated database; all of it is gone afterwards.

    `server` is the address of a superuser on another server, for another engine: what is made there is dropped again.
    """
    with tempfile.TemporaryDirectory(prefix="llmo-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o755)  # root's PostgreSQL runs as another user
        if server:
            addresses = stack.enter_context(_database_on(server))
        else:
            addresses = embedded_addresses(stack.enter_context(EmbeddedPostgres(home)))
        valkey = stack.enter_context(EmbeddedValkey(home))
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


@contextmanager
def _database_on(server: str) -> Iterator[Addresses]:
    """Make database and roles on `server`, which must have none of those names, and drop them afterwards."""
    owner, service = secrets.token_hex(16), secrets.token_hex(16)
    with psycopg.connect(server, autocommit=True) as superuser:
        taken = superuser.execute(
            "SELECT datname FROM pg_database WHERE datname = %(database)s UNION ALL"
            " SELECT rolname FROM pg_roles WHERE rolname IN (%(owner)s, %(service)s)",
            {"database": DATABASE, "owner": OWNER, "service": SERVICE},
        ).fetchone()
        if taken:
            sys.exit(f"The server has {taken[0]} already: name one that nobody uses.")
        make_embedded_roles(server, owner_password=owner, service_password=service)
        try:
            yield Addresses(owner=_address(server, OWNER, owner), service=_address(server, SERVICE, service))
        finally:
            superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
            for role in (OWNER, SERVICE):
                superuser.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _address(server: str, user: str, password: str) -> str:
    parts = conninfo_to_dict(server)
    place = f"host={parts.get('host', 'localhost')}&port={parts.get('port', 5432)}"
    return f"postgresql://{user}:{password}@/{DATABASE}?{place}"
