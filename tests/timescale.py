"""The second engine of the suite: where a TimescaleDB is found, and `python -m tests.timescale` to run on it.

What knows nothing of the engine is not run again: it runs the analytics, and what operators ask of the whole.

`OBSERVATORY_TEST_TIMESCALE_URL` names a superuser on a server with the extension loaded; without it the embedded server
is used if its files have the extension. `REQUIRE_TIMESCALE=1` makes it a failure that there is neither.
"""

import atexit
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from observatory.supervisor import postgres
from observatory.supervisor.roles import DATABASE, OWNER, SERVICE, make_embedded_roles

ENGINE = "TEST_ENGINE"
URL = "OBSERVATORY_TEST_TIMESCALE_URL"
# A database or role without this remark is not ours, and we touch nothing on its server.
_REMARK = "made by the test suite of LLM Observatory; it may be dropped"
# Plans are asserted as they are with the planner's settings of our own server.
_PLANNER = ("random_page_cost", "effective_cache_size", "work_mem", "jit")
_FOLDERS = ("tests/analytics", "tests/observatory/test_doctor.py", "tests/observatory/test_progress.py")
_LIBRARY = {"shared_preload_libraries": "timescaledb", "timescaledb.telemetry_level": "off"}


def wanted() -> bool:
    """Whether this run of the suite is the one on TimescaleDB."""
    return os.environ.get(ENGINE) == "timescale"


def embedded() -> bool:
    """Whether the embedded server's own files have the extension."""
    return any(postgres._binaries().parent.glob("**/extension/timescaledb.control"))


def load_extension() -> None:
    """Let embedded servers that are started from now on load the extension."""
    postgres.SETTINGS |= _LIBRARY


def use_named_server(*, owner: str, service: str) -> dict[str, str]:
    """Make roles and database of the suite on the named server; return the addresses to use."""
    url = os.environ[URL]
    server = psycopg.connect(url, autocommit=True)
    if not server.execute("SELECT pg_try_advisory_lock(hashtext('llm-observatory tests'))").fetchone()[0]:
        sys.exit(f"Another suite runs on the server of {URL}.")
    _clear(server)
    make_embedded_roles(url, owner_password=owner, service_password=service)
    for kind, name in (("DATABASE", DATABASE), ("ROLE", OWNER), ("ROLE", SERVICE)):
        statement = sql.SQL("COMMENT ON {} {} IS {}").format(sql.SQL(kind), sql.Identifier(name), sql.Literal(_REMARK))
        server.execute(statement)
    for role in (OWNER, SERVICE):
        for name in _PLANNER:
            setting = sql.SQL("ALTER ROLE {} SET {} = {}").format(
                sql.Identifier(role), sql.Identifier(name), sql.Literal(postgres.SETTINGS[name])
            )
            server.execute(setting)
    atexit.register(_clear, server)
    return {
        "TEST_SUPERUSER_URL": url,
        "TEST_OWNER_URL": _address(url, OWNER, owner),
        "TEST_SERVICE_URL": _address(url, SERVICE, service),
    }


@contextmanager
def left_alone(server: psycopg.Connection) -> Iterator[None]:
    """Keep the scheduler that TimescaleDB has in every database away from the template, which else cannot be cloned."""
    server.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
    server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [DATABASE])
    yield
    server.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")


def _clear(server: psycopg.Connection) -> None:
    """Drop what a run of the suite made, and refuse a server where the same names are someone else's."""
    made = server.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %(database)s UNION ALL"
        " SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname IN (%(owner)s, %(service)s)",
        {"database": DATABASE, "owner": OWNER, "service": SERVICE},
    ).fetchall()
    if any(remark != _REMARK for (remark,) in made):
        sys.exit(f"The server of {URL} has a database or role {DATABASE}* that is not the suite's: name another.")
    owned = server.execute(
        "SELECT datname FROM pg_database AS d JOIN pg_roles AS r ON r.oid = d.datdba WHERE r.rolname = %s", [OWNER]
    )
    for (name,) in owned.fetchall():
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    for role in (OWNER, SERVICE):
        server.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def _address(url: str, user: str, password: str) -> str:
    parts = conninfo_to_dict(url)
    return f"postgresql://{user}:{password}@/{DATABASE}?host={parts.get('host', 'localhost')}&port={parts.get('port', 5432)}"


def main() -> int:
    """Run the tests that the engine matters to on TimescaleDB; say loudly when there is none."""
    if not os.environ.get(URL) and not embedded():
        required = os.environ.get("REQUIRE_TIMESCALE") == "1"
        outcome = "FAILED" if required else "SKIPPED"
        sys.stderr.write(f"======== TimescaleDB: {outcome}, no server with it was found; set {URL} ========\n")
        return int(required)
    os.environ[ENGINE] = "timescale"
    arguments = sys.argv[1:] or [*_FOLDERS, "-n", "2", "--dist", "loadfile"]
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
