"""What row-level security costs a statement: its organisation is named, outside of a transaction in one of its own."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

from django.db import connection, transaction

from benchmarks.figures import Figure, medians
from observatory.database import tenancy

REPETITIONS, AT_ONCE = 200, 20
_STATEMENT = "SELECT id FROM projects WHERE id = 1"


def measure(_spans: int) -> Iterator[Figure]:
    """Yield the milliseconds that a statement takes longer inside a transaction and outside of one."""
    with connection.cursor() as cursor:
        cursor.execute("SET observatory.organisation TO 'all'")  # what is in sight when nothing is named
    for place, around in (("in_transaction", transaction.atomic), ("alone", nullcontext)):
        with around():
            bare, told = _medians()
        yield Figure(
            figure=f"tenancy.{place}", value=(told - bare) * 1000, unit="ms/statement", rows=REPETITIONS * AT_ONCE
        )


def _medians() -> list[float]:
    named = connection.execute_wrappers
    unnamed = [wrapper for wrapper in named if wrapper is not tenancy.bound]
    try:
        return medians(_asking(unnamed), _asking(named), repetitions=REPETITIONS, at_once=AT_ONCE)
    finally:
        connection.execute_wrappers = named


def _asking(wrappers: list[Any]) -> Callable[[], Any]:
    def ask() -> Any:
        connection.execute_wrappers = wrappers
        with connection.cursor() as cursor:
            cursor.execute(_STATEMENT)
            return cursor.fetchone()

    return ask
