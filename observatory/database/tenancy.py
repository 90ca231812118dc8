"""Which organisation's rows the plain tenant tables show: row-level security, told per transaction.

The setting is local to a transaction, so that a pooler may hand the connection to anybody then. Outside of requests
(commands, worker, tests) every organisation is in sight; a request begins with none, and authentication opens its own.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# The tables with a policy `tenant`; a migration gives it, and a test holds both lists together.
TABLES = (
    "anomalies",
    "anomaly_progress",
    "api_keys",
    "api_keys_projects",
    "audit_log",
    "budget_alerts",
    "budget_periods",
    "budgets",
    "channels",
    "deliveries",
    "export_jobs",
    "export_schedules",
    "idempotency_keys",
    "key_uses",
    "memberships",
    "memberships_projects",
    "projects",
    "refresh_tokens",
    "trace_evaluations",
    "trace_feedback",
    "trace_links",
)
EVERY, NONE = "all", ""
# Their names as words of a statement, not of its parameters.
_PROTECTED = re.compile(rf"(?<!%\()\b(?:{'|'.join(TABLES)})\b")
_in_sight: ContextVar[str] = ContextVar("organisation_in_sight", default=EVERY)


def show_organisation(number: int) -> None:
    """Show one organisation's rows from here on, until the request ends."""
    _in_sight.set(str(number))


class only:  # noqa: N801  it reads as a word of its statement
    """Show the rows of `organisation` (`EVERY`, `NONE`, a number) inside the block."""

    def __init__(self, organisation: str) -> None:
        self._organisation = organisation

    def __enter__(self) -> None:
        self._token = _in_sight.set(self._organisation)

    def __exit__(self, *_: object) -> None:
        _in_sight.reset(self._token)


@lru_cache(maxsize=512)
def _is_protected(sql: str) -> bool:
    return _PROTECTED.search(sql) is not None


def bound(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement; one on a protected table in a transaction that says whose rows it may see."""
    if not _is_protected(sql):
        return execute(sql, params, many, context)
    connection: BaseDatabaseWrapper = context["connection"]
    if not connection.get_autocommit():
        _tell(connection)
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):
        _tell(connection)
        return execute(sql, params, many, context)


def _tell(connection: BaseDatabaseWrapper) -> None:
    with connection.wrap_database_errors:
        connection.connection.execute("SELECT set_config('observatory.organisation', %s, true)", [_in_sight.get()])
