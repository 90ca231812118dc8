"""Several statements that see one state of the database, each with a limit of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction

from analytics.storage.deadline import statement_ms
from analytics.storage.transactions import OWN_BOUNDS


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all statements within see the database as the first one does, none for longer than `QUERY_TIMEOUT_MS`.

    A statement beyond that ends with 504/1801. Within a transaction that is open already, its isolation holds.
    """
    nested = connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if not nested:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(
            f"SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true), {OWN_BOUNDS}",
            [str(statement_ms(settings.QUERY_TIMEOUT_MS))],
        )
        before, *_ = cursor.fetchone()
        yield
        if nested:  # elsewhere it ends with the transaction
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
