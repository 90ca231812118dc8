"""Servers of the suite. An early pytest plugin: Django reads its settings before any conftest is loaded.

The process that hands out the tests starts PostgreSQL and Valkey; the workers inherit the addresses, and each has a
database and a Redis number of its own.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from observatory.supervisor.postgres import EmbeddedPostgres
from observatory.supervisor.roles import make_embedded_roles
from observatory.supervisor.valkey import EmbeddedValkey
from tests import timescale

OWNER, SERVICE = "observatory_owner", "observatory_service"


def _start() -> None:
    # A suite that is told to end must still stop what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Hundreds of processes are started: what one has compiled is there for the others, whatever the machine says.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    home = Path(tempfile.mkdtemp(prefix="llmo-tests-"))
    home.chmod(0o755)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    valkey = EmbeddedValkey(home).start()
    atexit.register(valkey.stop)
    os.environ |= {"OBSERVATORY_HOME": str(home), "TEST_REDIS_URL": valkey.url} | _databases(home)


def _databases(home: Path) -> dict[str, str]:
    """Return the addresses of the PostgreSQL server of this run, which is started unless it is a named one."""
    if timescale.wanted() and os.environ.get(timescale.URL):
        return timescale.use_named_server(owner=OWNER, service=SERVICE)
    if timescale.wanted():
        timescale.load_extension()
    postgres = EmbeddedPostgres(home, durable=False).start()
    atexit.register(postgres.stop)
    make_embedded_roles(postgres.superuser_url, owner_password=OWNER, service_password=SERVICE)
    return {
        "TEST_SUPERUSER_URL": postgres.superuser_url,
        "TEST_OWNER_URL": postgres.url("observatory", OWNER, OWNER),
        "TEST_SERVICE_URL": postgres.url("observatory", SERVICE, SERVICE),
    }


def unmeasured() -> dict[str, str]:
    """Return the environment of a process that is left out of the coverage, which it is twice as fast without."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


if "TEST_SUPERUSER_URL" not in os.environ:
    _start()
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
DATABASE = f"test_{_WORKER}"
os.environ |= {
    "DATABASE_URL": os.environ["TEST_SERVICE_URL"].replace("/observatory?", f"/{DATABASE}?"),
    "DATABASE_MIGRATION_URL": os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{DATABASE}?"),
    "REDIS_URL": os.environ["TEST_REDIS_URL"].replace("db=0", f"db={int(_WORKER.removeprefix('gw')) + 1}"),
}
