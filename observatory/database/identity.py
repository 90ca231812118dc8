"""Statements that change who may do what are noted, so that no process goes on with what it remembers."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from observatory.accounts import generation

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_TABLES = (
    "api_keys",
    "api_keys_projects",
    "memberships",
    "memberships_projects",
    "organisations",
    "projects",
    "revoked_tokens",
    "users",
)
_CHANGE = re.compile(rf'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(?:{"|".join(_TABLES)})"?\s', flags=re.IGNORECASE)


def noted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement; after one that changes identities, what was remembered of any holds no more."""
    result = execute(sql, params, many, context)
    if _CHANGE.match(sql):
        connection: BaseDatabaseWrapper = context["connection"]
        generation.renew()
        if connection.in_atomic_block:
            # Others may have read the old rows once more before this commits.
            transaction.on_commit(generation.renew, using=connection.alias, robust=True)
    return result
