"""What the operator asked for: arguments of `up` first, then variables of the environment, then defaults."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from observatory.env import BASE_DIR
from observatory.env_table import SETTINGS
from observatory.supervisor.failure import CannotStart
from observatory.supervisor.home import Home

_BY_NAME = {setting.name: setting for setting in SETTINGS}
MOST_DEFAULT_WORKERS = 4
LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line of `up`; `None` where nothing was said."""

    host: str | None = None
    port: int | None = None
    data_dir: str | None = None
    workers: int | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that decides what is started; `environment` is the operator's, for the processes that are started."""

    home: Home
    host: str
    port: int
    workers: int
    demo: bool
    database_connections: int
    database_url: str | None
    migration_url: str | None
    redis_url: str | None
    base_url: str | None
    live_port: int
    live_base_url: str | None
    drain_seconds: int
    grace_seconds: int
    environment: Mapping[str, str]

    @property
    def threads(self) -> int:
        """Threads of one web process: each keeps one database connection."""
        return max(1, self.database_connections // self.workers)

    @property
    def local_url(self) -> str:
        """Where a program on this machine reaches the service."""
        return self._local(self.port)

    @property
    def live_url(self) -> str:
        """Where a program on this machine reaches its streams."""
        return self._local(self.live_port)

    def _local(self, port: int) -> str:
        everywhere = self.host in {"", "0.0.0.0", "::", "localhost", "127.0.0.1"}  # noqa: S104  compared, not bound
        host = "localhost" if everywhere else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}"


def read_options(arguments: Arguments, environment: Mapping[str, str]) -> Options:
    """Return the options; raise `CannotStart` for a variable whose value cannot be used."""

    def given(name: str) -> Any:
        # Not `env.read`: what an earlier `up` left in its folder is a result, not a wish.
        value = environment.get(name)
        try:
            return _BY_NAME[name].read(value) if value else None
        except ValueError as problem:
            raise CannotStart(f"{name} cannot be used: {problem}.") from None

    def default(name: str) -> Any:
        value = given(name)
        return _BY_NAME[name].default if value is None else value

    for name in _BY_NAME:
        given(name)  # what only the started processes read is refused before they are started
    port = arguments.port or default("API_PORT")
    folder = Path(arguments.data_dir or given("OBSERVATORY_HOME") or BASE_DIR / ".observatory")
    return Options(
        home=Home(path=folder.expanduser().resolve()),
        host=arguments.host or default("APP_HOST"),
        port=port,
        workers=arguments.workers or given("WEB_CONCURRENCY") or min(MOST_DEFAULT_WORKERS, os.cpu_count() or 1),
        demo=arguments.demo,
        database_connections=default("DATABASE_POOL_SIZE"),
        database_url=given("DATABASE_URL"),
        migration_url=given("DATABASE_MIGRATION_URL"),
        redis_url=given("REDIS_URL") or _redis_of_parts(given, default),
        base_url=given("API_BASE_URL"),
        live_port=given("LIVE_PORT") or _beside(port),
        live_base_url=given("LIVE_BASE_URL"),
        drain_seconds=default("DRAIN_DELAY_SECONDS"),
        grace_seconds=default("SHUTDOWN_GRACE_SECONDS"),
        environment=environment,
    )


def _beside(port: int) -> int:
    """Return the port of the live process next to the web process's."""
    return port + 1 if port < LAST_PORT else port - 1


def _redis_of_parts(given: Callable[[str], Any], default: Callable[[str], Any]) -> str | None:
    """Return the address that REDIS_HOST and its companions name; without REDIS_HOST there is none."""
    if not given("REDIS_HOST"):
        return None
    password = quote(default("REDIS_PASSWORD"), safe="")
    login = f":{password}@" if password else ""
    return f"redis://{login}{given('REDIS_HOST')}:{default('REDIS_PORT')}/{default('REDIS_DB')}"
