"""Servers with the durability of real ones, throwaway or kept between runs, and Django set up to use them."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import django
import psycopg
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from analytics.storage.engines import engine
from analytics.storage.partitions import forget_days
from observatory.env_table import SETTINGS
from observatory.supervisor.external import Addresses
from observatory.supervisor.launch import embedded_addresses
from observatory.supervisor.postgres import EmbeddedPostgres
from observatory.supervisor.roles import DATABASE, OWNER, SERVICE, make_embedded_roles, make_login, set_password
from observatory.supervisor.valkey import EmbeddedValkey

_REMARK = "made by the benchmarks of LLM Observatory; it may be dropped"
_ROOT = Path(__file__).parent.parent
_PLACE = ("host", "port")  # of a server, which may be among the options of a URL


@contextmanager
def stores(folder: Path | None = None, *, server: str = "") -> Iterator["Server | None"]:
    """Run PostgreSQL and Valkey, with a migrated database that Django uses.

    They live in `folder`, and what is loaded there serves the next run too; without one all is gone afterwards. Gives
    the PostgreSQL server, unless `server` is the address of a superuser on another one, for another engine: what is
    made there is dropped again.
    """
    with tempfile.TemporaryDirectory(prefix="llmo-bench-") as temporary, ExitStack() as stack:
        home = folder or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)  # root's PostgreSQL runs as another user
        embedded = None
        if server:
            addresses = stack.enter_context(_database_on(server))
        else:
            postgres = stack.enter_context(EmbeddedPostgres(home))
            addresses = embedded_addresses(postgres)
            passwords = {role: postgres.password(role) for role in (OWNER, SERVICE)}
            embedded = Server(engine="plain", superuser_url=postgres.superuser_url, passwords=passwords)
        valkey = stack.enter_context(EmbeddedValkey(home))
        # Nothing of the operator's own service may leak in: every setting is a default or one of these.
        for setting in SETTINGS:
            os.environ.pop(setting.name, None)
        os.environ |= variables(addresses) | {
            "DJANGO_SETTINGS_MODULE": "observatory.settings.service",
            "OBSERVATORY_HOME": str(home),
            "REDIS_URL": valkey.url,
            "SECRET_KEY": secrets.token_hex(32),
            "JWT_SECRET": secrets.token_hex(32),
            "LOG_LEVEL": "error",
        }
        django.setup()
        call_command("prepare")
        try:
            yield embedded
        finally:
            connections.close_all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One migrated database on one engine."""

    name: str
    engine: str
    addresses: Addresses

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """Let Django, and so the service's code, use this database until the context ends; connections stay open."""
        before = {alias: connections[alias] for alias in ("default", "owner")}
        for alias, url in (("default", self.addresses.service), ("owner", self.addresses.owner)):
            connections[alias] = _connection(alias, url)
        _forget()
        try:
            yield
        finally:
            for alias, connection in before.items():
                connections[alias] = connection
            _forget()

    def close(self) -> None:
        """Close the connections; they are opened again when the store is chosen and used."""
        for alias, url in (("default", self.addresses.service), ("owner", self.addresses.owner)):
            _connection(alias, url).close()


@cache
def _connection(alias: str, url: str) -> BaseDatabaseWrapper:
    made = connections.create_connection(alias)
    parts = conninfo_to_dict(url)
    made.settings_dict = made.settings_dict | {
        "NAME": parts["dbname"],
        "USER": parts["user"],
        "PASSWORD": parts["password"],
        "HOST": parts["host"],
        "PORT": parts["port"],
        "OPTIONS": {name: value for name, value in made.settings_dict["OPTIONS"].items() if name not in _PLACE},
    }
    return made


def _forget() -> None:
    """Forget what this process knows of the database it used."""
    engine.cache_clear()
    forget_days()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that databases are made on; `passwords` are those of the service's two roles."""

    engine: str
    superuser_url: str
    passwords: Mapping[str, str]

    def store(self, name: str) -> Store:
        """Return database `name`, made where it is missing and migrated to this code."""
        passwords = {"owner_password": self.passwords[OWNER], "service_password": self.passwords[SERVICE]}
        make_embedded_roles(self.superuser_url, name=name, **passwords)
        if self.engine == "timescaledb":
            with psycopg.connect(self.superuser_url, dbname=name, autocommit=True) as database:
                database.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        return self._prepared(name)

    def copy(self, of: Store, *, name: str) -> Store:
        """Return database `name`, which begins as a copy of another; where there is one already it stays as it is."""
        of.close()  # a database is copied while nobody is there
        with psycopg.connect(self.superuser_url, autocommit=True) as server:
            if server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                with _left_alone(server, of.name):
                    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy")
                    server.execute(statement.format(*(sql.Identifier(one) for one in (name, of.name, OWNER))))
        return self._prepared(name)

    def drop(self, store: Store) -> None:
        """Drop a database."""
        store.close()
        with psycopg.connect(self.superuser_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(store.name)))

    def _prepared(self, name: str) -> Store:
        owner, service = (_url(self.superuser_url, name, role, self.passwords[role]) for role in (OWNER, SERVICE))
        addresses = Addresses(owner=owner, service=service)
        # A process of its own: migrations look at the database of their process.
        subprocess.run(
            [sys.executable, "manage.py", "prepare"], cwd=_ROOT, env=os.environ | variables(addresses), check=True
        )
        return Store(name=name, engine=self.engine, addresses=addresses)


def named_server(url: str) -> Server:
    """Return the TimescaleDB server of a superuser's address; its roles get new passwords.

    Ends the program when a role or database of the service's names is there that the benchmarks did not make.
    """
    passwords = {role: secrets.token_hex(32) for role in (OWNER, SERVICE)}
    with psycopg.connect(url, autocommit=True) as server:
        for role, password in passwords.items():
            found = server.execute(
                "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s", [role]
            ).fetchone()
            if found is None:
                make_login(server, role, password)
                remark = sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), sql.Literal(_REMARK))
                server.execute(remark)
            elif found[0] != _REMARK:
                sys.exit(f"The server has a role {role} that the benchmarks did not make: name another server.")
            set_password(server, role, password)
    return Server(engine="timescaledb", superuser_url=url, passwords=passwords)


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
            yield Addresses(
                owner=_url(server, DATABASE, OWNER, owner), service=_url(server, DATABASE, SERVICE, service)
            )
        finally:
            superuser.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
            for role in (OWNER, SERVICE):
                superuser.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@contextmanager
def _left_alone(server: psycopg.Connection, name: str) -> Iterator[None]:
    """Keep everyone away from a database, the scheduler of TimescaleDB too: it is copied only when nobody uses it."""
    database = sql.Identifier(name)
    server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
    server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
    try:
        yield
    finally:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))


def _url(server: str, database: str, role: str, password: str) -> str:
    parts = conninfo_to_dict(server)
    host, port = quote(str(parts.get("host", "localhost")), safe=""), parts.get("port", 5432)
    return f"postgresql://{role}:{password}@/{database}?host={host}&port={port}"


def variables(addresses: Addresses) -> dict[str, str]:
    """Return the variables that name a database to the service."""
    return {"DATABASE_URL": addresses.service, "DATABASE_MIGRATION_URL": addresses.owner}
