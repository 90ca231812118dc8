"""Which engine a server offers and which one a database is on: asked of the server, never told by a setting."""

from dataclasses import dataclass
from functools import cache

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from analytics.storage.engines.interface import Engine
from analytics.storage.engines.plain import Plain
from analytics.storage.engines.timescale import Timescale

# The first release that takes sparse indexes by name and tells the state of a chunk.
OLDEST = (2, 22)
# PostgreSQL 15.20, on which every scheduled job of TimescaleDB ends with: cannot drop portal "".
JOBS_FAIL_ON = 150_020


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a server says of TimescaleDB; versions are `None` where there is none. `postgres` is its own as a number."""

    offered: str | None
    installed: str | None
    loaded: bool
    licence: str | None
    functions: bool
    may_create: bool
    postgres: int

    @property
    def fails_jobs(self) -> str | None:
        """Which release of PostgreSQL it is, where that fails the extension's scheduled jobs."""
        return "PostgreSQL 15.20" if self.postgres == JOBS_FAIL_ON else None

    @property
    def creatable(self) -> bool:
        """Whether this role can install the extension here: only loaded libraries can be."""
        return self.installed is None and self.offered is not None and self.loaded and self.may_create

    @property
    def lacks(self) -> str | None:
        """One sentence on why this server counts as plain PostgreSQL; `None` when it does not."""
        if self.installed is None:
            return self._not_installed()
        if self.licence != "timescale":
            return f"TimescaleDB {self.installed} runs under licence {self.licence}: it has no columnstore."
        if _numbers(self.installed) < OLDEST:
            return f"TimescaleDB {self.installed} is too old: 2.22 is the oldest that serves."
        if not self.functions:
            return f"TimescaleDB {self.installed} is installed without its functions in schema public."
        return None

    def _not_installed(self) -> str:
        if self.offered is None:
            return "This server has no TimescaleDB."
        if not self.loaded:
            return f"TimescaleDB {self.offered} is here but not in shared_preload_libraries."
        return f"TimescaleDB {self.offered} is here but not installed in this database: CREATE EXTENSION timescaledb."


def _numbers(version: str) -> tuple[int, ...]:
    """Return major and minor number of a version such as `2.29.2` or `2.30.0-dev`."""
    return tuple(int(part) for part in version.split(".")[:2])


def server(connection: BaseDatabaseWrapper) -> Server:
    """Ask the server behind `connection` about TimescaleDB."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
                (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'),
                (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
                -- A variable of the library: roles without rights may not see what is preloaded.
                current_setting('timescaledb.disable_load', true) IS NOT NULL,
                current_setting('timescaledb.license', true),
                to_regproc('public.compress_chunk') IS NOT NULL AND to_regproc('public.by_range') IS NOT NULL,
                coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) OR (
                    has_database_privilege(current_database(), 'CREATE') AND EXISTS (
                        SELECT FROM pg_available_extension_versions
                        WHERE name = 'timescaledb' AND (trusted OR NOT superuser)
                    )
                ),
                current_setting('server_version_num')::int
            """
        )
        offered, installed, loaded, licence, functions, may_create, postgres = cursor.fetchone()
    return Server(
        offered=offered,
        installed=installed,
        loaded=loaded,
        licence=licence,
        functions=functions,
        may_create=may_create,
        postgres=postgres,
    )


def with_timescale(connection: BaseDatabaseWrapper) -> Server:
    """Install the extension where the server offers it and the role may; return what the server then says."""
    found = server(connection)
    if not found.creatable:
        return found
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    return server(connection)


def has_hypertables(connection: BaseDatabaseWrapper) -> bool:
    """Whether the spans of this database are in a hypertable."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(
            "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables"
            " WHERE hypertable_schema = 'public' AND hypertable_name = 'llm_traces')"
        )
        found: bool = cursor.fetchone()[0]
    return found


@cache
def engine(alias: str = DEFAULT_DB_ALIAS) -> Engine:
    """Return the engine of a database; the server is asked once a process."""
    return Timescale(alias=alias) if has_hypertables(connections[alias]) else Plain(alias=alias)
