"""Work of operators that runs one at a time, and the refusal that says why something was not done."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


class RefusedError(Exception):
    """What was asked for is not done and nothing was changed; the text is the reason in one sentence."""


class BusyError(RefusedError):
    """The same work is under way elsewhere."""


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Hold the advisory lock of `name` for the session; raise `BusyError` while another session holds it."""
    key = f"llm-observatory {name}"
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


def held(name: str) -> bool:
    """Whether any session holds the lock of `name`."""
    return bool(_holder(f"llm-observatory {name}"))


def _holder(key: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pid, (SELECT client_addr FROM pg_stat_activity AS one WHERE one.pid = held.pid)
            FROM pg_locks AS held
            WHERE locktype = 'advisory' AND granted AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32 | objid::bigint) = hashtext(%s)::bigint
            """,
            [key],
        )
        found = cursor.fetchone()
    return "" if found is None else f" (server process {found[0]}{f', from {found[1]}' if found[1] else ''})"
