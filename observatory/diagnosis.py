"""What `doctor` looks at: each check reads, changes nothing, and says of what is wrong how it is cured."""

import http.client
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, NotSupportedError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from analytics.storage import reading
from analytics.storage.engines import State, engine
from analytics.storage.engines.compression import after_days, due
from analytics.storage.engines.detection import server
from analytics.storage.retention import limits_read
from analytics.storage.sizes import lag_by_grain
from observatory.env import SettingError, home, read
from observatory.env_table import SETTINGS
from observatory.live.addresses import EVENTS
from observatory.policies import policies

LONGEST_LAG = timedelta(minutes=5)
LARGEST_SKEW = timedelta(seconds=2)
LEAST_FREE = 0.1
OTHER_CONNECTIONS = 14  # live process, worker, commands, migrations
LIVE_SECONDS = 5.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
MEGABYTE = 2**20


class Level(StrEnum):
    """How a finding is meant: `wrong` makes the exit status 1."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found; `cure` says what to do about anything that is not `ok`."""

    check: str
    level: Level
    text: str
    cure: str = ""


def _ok(check: str, text: str) -> Finding:
    return Finding(check=check, level=Level.OK, text=text)


def _wrong(check: str, text: str, cure: str) -> Finding:
    return Finding(check=check, level=Level.WRONG, text=text, cure=cure)


def _note(check: str, text: str, cure: str) -> Finding:
    return Finding(check=check, level=Level.NOTE, text=text, cure=cure)


def diagnose() -> Iterator[Finding]:
    """Yield the findings in the order of `CHECKS`; those on the database end with the first that it does not answer."""
    database_answers = True
    for name, check, needs_database in CHECKS:
        if needs_database and not database_answers:
            continue
        try:
            yield check(name)
        except NotSupportedError as problem:  # Django lets no older server connect
            database_answers = False
            yield _wrong(name, str(problem).rstrip("."), "Use PostgreSQL 14 or newer.")
        except DatabaseError as problem:
            database_answers = False
            connection.close()
            reason = str(problem).strip().splitlines()[0]
            yield _wrong(
                name, reason, "Start PostgreSQL, or correct DATABASE_URL; the other checks of it were left out."
            )
        except (RedisError, OSError) as problem:
            yield _wrong(name, f"no answer ({type(problem).__name__})", "Start Redis or Valkey, or correct REDIS_URL.")


def _settings(check: str) -> Finding:
    try:
        for one in SETTINGS:
            read(one.name)
    except SettingError as problem:
        return _wrong(check, str(problem), "Set the variable as it says.")
    return _ok(check, f"{len(SETTINGS)} variables can be used")


def _one(sql: str) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: tuple[object, ...] = cursor.fetchone()
    return row


def _database(check: str) -> Finding:
    (version,) = _one("SELECT current_setting('server_version')")
    return _ok(check, f"PostgreSQL {version}")


def _engine(check: str) -> Finding:
    found = server(connection)
    if not engine().has_columnstore:
        if found.lacks is None:
            return _note(
                check,
                f"plain PostgreSQL; TimescaleDB {found.installed} is there and not used",
                "To use it, run `migrate_engine`.",
            )
        return _ok(check, f"plain PostgreSQL. {found.lacks}")
    if found.fails_jobs:
        return _wrong(
            check,
            f"TimescaleDB {found.installed} on {found.fails_jobs}, where its scheduled jobs fail",
            "Use another minor release of PostgreSQL 15, or a newer major one.",
        )
    if found.lacks is not None:
        return _wrong(check, found.lacks, "Install the community build of TimescaleDB that made this database.")
    return _ok(check, f"TimescaleDB {found.installed} with community functions")


def _role(check: str) -> Finding:
    name, superuser, bypasses = _one(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    rights = [right for right, held in (("SUPERUSER", superuser), ("BYPASSRLS", bypasses)) if held]
    if rights:
        return _wrong(
            check,
            f"role {name} has {' and '.join(rights)}: the server does not keep tenants apart from it",
            "Connect as a role without these rights; docs/how-to/external-servers.md makes one.",
        )
    owned = _one("SELECT count(*) FROM pg_class WHERE relrowsecurity AND pg_has_role(current_user, relowner, 'MEMBER')")
    if owned != (0,):
        return _wrong(
            check,
            f"role {name} owns the tenant tables, or is a member of their owner: row security does not bind it",
            "Give the service a role of its own; docs/how-to/external-servers.md makes one.",
        )
    return _ok(check, f"{name} owns no tenant table and has neither SUPERUSER nor BYPASSRLS")


def _migrations(check: str) -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return _wrong(check, f"{len(missing)} are not applied", "Run `python manage.py prepare`.")
    return _ok(check, "all are applied")


def _partitions(check: str) -> Finding:
    if engine().makes_days:
        return _ok(check, "made by the engine as spans arrive")
    today = timezone.now().date()
    wanted = {today + timedelta(days=ahead) for ahead in range(settings.PARTITIONS_AHEAD_DAYS + 1)}
    # The day that has just come into reach is made within the hour.
    missing = wanted - {one.day for one in engine().days("llm_traces")} - {max(wanted)}
    if missing:
        return _wrong(check, f"{len(missing)} of the next days have none", "Run `worker --once --only partitions`.")
    return _ok(check, f"there for {settings.PARTITIONS_AHEAD_DAYS} days ahead")


def _columnstore(check: str) -> Finding:
    if not engine().has_columnstore:
        return _ok(check, "none on this engine")
    after = after_days()
    # The job runs once a day: what became due since yesterday may still wait for it.
    waiting = due(today=timezone.now().date() - timedelta(days=2), after=after)
    late = sorted({one.day for one in waiting if one.state is State.ROWS})
    if late:
        return _note(
            check,
            f"days that wait to be in it: {len(late)}, the oldest {late[0]}; it takes over after {after} days",
            "Run `compression apply`; the worker does it every night.",
        )
    return _ok(check, f"has the days that are more than {after} days old")


def _retention(check: str) -> Finding:
    if problem := limits_read().disorder():
        return _wrong(check, f"{problem}; nothing is dropped", "Change a RETENTION_ variable, or use `retention set`.")
    return _ok(check, "limits agree with each other")


def _rollups(check: str) -> Finding:
    behind = lag_by_grain(now=timezone.now())
    told = ", ".join(f"{grain} {one.lag.total_seconds():.0f} s" for grain, one in behind.items())
    if any(one.lag > LONGEST_LAG for one in behind.values()):
        return _wrong(
            check, f"behind: {told}", "Answers are right but slow. Start the worker, or run `aggregates refresh`."
        )
    return _ok(check, f"behind: {told}")


def _jobs(check: str) -> Finding:
    found = policies(now=timezone.now())
    bad = [f"{one.name} is late" for one in found if one.late]
    bad += [f"{one.name} {one.last_result}" for one in found if one.last_result in {"failed", "aborted"}]
    if bad:
        return _wrong(check, ", ".join(bad), "See that the worker runs, and read its log; `policies` shows each job.")
    if all(one.last_run is None for one in found):
        return _note(check, "none has run yet", "Start the worker: `python manage.py worker`, or `up`.")
    return _ok(check, f"{len(found)}, none late or failed")


def _redis(check: str) -> Finding:
    told = get_redis_connection("default").info("server")
    name = "Valkey" if "valkey_version" in told else "Redis"
    return _ok(check, f"{name} {told.get('valkey_version') or told['redis_version']}")


def _clock(check: str) -> Finding:
    skews: dict[str, timedelta] = {}
    before = datetime.now(UTC)
    (at,) = _one("SELECT clock_timestamp()")
    assert isinstance(at, datetime)
    skews["PostgreSQL"] = _skew(at, before)
    before = datetime.now(UTC)
    seconds, micros = get_redis_connection("default").time()
    skews["Redis"] = _skew(datetime.fromtimestamp(seconds, tz=UTC) + timedelta(microseconds=micros), before)
    told = ", ".join(f"{name} {skew.total_seconds():+.3f} s" for name, skew in skews.items())
    if any(abs(skew) > LARGEST_SKEW for skew in skews.values()):
        return _wrong(check, f"against this machine: {told}", "Let every machine take its time from NTP.")
    return _ok(check, f"against this machine: {told}")


def _skew(theirs: datetime, before: datetime) -> timedelta:
    """Return how far a clock, read at some time since `before`, is off ours: nothing when it lies in between."""
    after = datetime.now(UTC)
    return theirs - before if theirs < before else max(theirs - after, timedelta())


def _host() -> str:
    # An address may name it in its query, as that of a socket does: there, Django's HOST is empty.
    return str(connection.get_connection_params().get("host") or "")


def _embedded() -> bool:
    return _host().startswith(str(home()))


def _disk(check: str) -> Finding:
    if not _embedded():
        return _ok(check, "unknown: the database is not one that `up` started here")
    usage = shutil.disk_usage(home())
    told = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB are free"
    if usage.free < LEAST_FREE * usage.total:
        return _wrong(check, told, "Make room, or keep data for less: `retention set`, then `retention apply`.")
    return _ok(check, told)


def _connections(check: str) -> Finding:
    (most,) = _one("SELECT current_setting('max_connections')::int")
    assert isinstance(most, int)
    needed = settings.DATABASE_POOL_SIZE + OTHER_CONNECTIONS
    told = f"{most} allowed by the server, {settings.DATABASE_POOL_SIZE} for the web processes"
    if needed > most:
        return _wrong(check, told, f"Raise max_connections to {needed} or more, or lower DATABASE_POOL_SIZE.")
    return _ok(check, told)


def _standby(check: str) -> Finding:
    if reading.alias() != reading.STANDBY:
        return _ok(check, "none: everything is read where it is written")
    cure = "Name a streaming standby of the same database in DATABASE_READONLY_URL, or none."
    try:
        with reading.reading():
            (follows,) = _one("SELECT pg_is_in_recovery()")
    except DatabaseError as problem:
        return _wrong(check, str(problem).strip().splitlines()[0], cure)
    return _ok(check, "it follows the database") if follows else _wrong(check, "the server is no standby", cure)


def machine_memory() -> int:
    """Return the bytes of memory that processes here may use: the machine's, or less in a container."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(physical, int(CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no such file, or `max`
        return physical


def _memory(check: str) -> Finding:
    (*sizes, most) = _one(
        """
        SELECT pg_size_bytes(current_setting('shared_buffers')),
            pg_size_bytes(current_setting('effective_cache_size')),
            pg_size_bytes(current_setting('work_mem')), current_setting('max_connections')::int
        """
    )
    shared, cached, work = (int(str(one)) for one in sizes)
    told = f"shared_buffers {_megabytes(shared)}, effective_cache_size {_megabytes(cached)}"
    host = _host()
    if _embedded():
        return _ok(check, f"{told}, as `up` sets them")
    if host and not host.startswith("/") and host not in LOOPBACK:
        return _ok(check, f"{told}; the server is another machine's, whose memory is unknown here")
    memory, connections = machine_memory(), int(str(most))
    better = {}
    if not memory // 8 <= shared <= memory // 2:
        better["shared_buffers"] = memory // 4
    if not memory // 2 <= cached <= memory:
        better["effective_cache_size"] = memory * 3 // 4
    if work * connections > memory:
        better["work_mem"] = max(memory // 4 // connections, 4 * MEGABYTE)
    if not better:
        return _ok(check, f"{told} of {_megabytes(memory)}")
    lines = "; ".join(f"ALTER SYSTEM SET {name} = '{_megabytes(size)}'" for name, size in better.items())
    return _note(check, f"{told} of {_megabytes(memory)}", f"As a superuser: {lines}; then restart PostgreSQL.")


def _megabytes(size: int) -> str:
    return f"{size // MEGABYTE}MB"


def _unpriced(check: str) -> Finding:
    (models,) = _one(
        """
        SELECT count(DISTINCT (provider, model)) FROM llm_traces
        WHERE ts >= now() - interval '1 day' AND ts < now() + interval '1 day'
            AND usage_counted AND unpriced_reason IS NOT NULL
        """
    )
    if models:
        return _note(
            check,
            f"{models} without a price in the last day",
            "Add their prices with `import_prices`, then run `recompute_costs`.",
        )
    return _ok(check, "every model of the last day has a price")


def _live(check: str) -> Finding:
    """Ask for a stream without a credential: the live process refuses that, anybody else answers something else."""
    url = f"{settings.LIVE_BASE_URL}{EVENTS}"
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    asked = connect(parts.hostname or "", parts.port, timeout=LIVE_SECONDS)
    try:
        asked.request("GET", parts.path)
        status = asked.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        return _note(
            check,
            f"no answer at {url} ({type(problem).__name__})",
            "Start the live process (`manage.py live`), or correct LIVE_BASE_URL; without it there are no streams.",
        )
    finally:
        asked.close()
    if status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}:
        told = f"{url} answers {status}, which the live process does not"
        return _note(check, told, "Lead /ws, /api/v1/ws and /api/v1/events to LIVE_PORT, or correct LIVE_BASE_URL.")
    return _ok(check, f"streams at {url}")


# Name, check, whether it asks the database.
CHECKS: tuple[tuple[str, Callable[[str], Finding], bool], ...] = (
    ("settings", _settings, False),
    ("database", _database, True),
    ("standby", _standby, True),
    ("engine", _engine, True),
    ("role", _role, True),
    ("migrations", _migrations, True),
    ("partitions", _partitions, True),
    ("columnstore", _columnstore, True),
    ("retention", _retention, True),
    ("rollups", _rollups, True),
    ("jobs", _jobs, True),
    ("redis", _redis, False),
    ("live", _live, False),
    ("clock", _clock, True),
    ("disk", _disk, False),
    ("connections", _connections, True),
    ("memory", _memory, True),
    ("models", _unpriced, True),
)
