"""Work of operators that runs one at a time, and the refusal that says why something was not done."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection

_PREFIX = "llm-observatory "
# SQL: a row of `pg_locks` is one of this database's advisory locks by one number, and somebody has it.
_ADVISORY = """locktype = 'advisory' AND granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class RefusedError(Exception):
    """What was asked for is not done and nothing was changed; the text is the reason in one sentence."""


class BusyError(RefusedError):
    """The same work is under way elsewhere."""


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Hold the advisory lock of `name` for the session; raise `BusyError` while another session holds it."""
    key = f"{_PREFIX}{name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [key])
        if not cursor.fetchone()[0]:
            raise BusyError(f"Another run of {name} is under way{_holder(key)}: wait for its end, or stop it.")
    try:
        yield
    finally:
        # After a lost connection there is neither a lock nor a way to give it back.
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [key])


def held_of(names: Iterable[str]) -> set[str]:
    """Return those of `names` whose lock any session holds, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT name FROM unnest(%s::text[]) AS asked (name) WHERE EXISTS (
                SELECT FROM pg_locks AS held
                WHERE {_ADVISORY} AND (classid::bigint << 32 | objid::bigint) = hashtext(%s || name)::bigint
            )
            """,
            [list(names), _PREFIX],
        )
        return {name for (name,) in cursor.fetchall()}


def _holder(key: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT pid, (SELECT client_addr FROM pg_stat_activity AS one WHERE one.pid = held.pid)
            FROM pg_locks AS held
            WHERE {_ADVISORY} AND (classid::bigint << 32 | objid::bigint) = hashtext(%s)::bigint
            """,
            [key],
        )
        found = cursor.fetchone()
    return "" if found is None else f" (server process {found[0]}{f', from {found[1]}' if found[1] else ''})"
