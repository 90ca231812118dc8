"""System checks of the project: `migrate` runs those on databases before it changes one."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from observatory.database.obstacles import obstacles


@register(Tags.database)
def check_databases(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return what keeps migrations from running on those of `databases` that are migrated."""
    migrated = "owner" if "owner" in settings.DATABASES else "default"
    return [
        Error(f"{one.text}.", hint=f"{one.cure}.", id="observatory.E001")
        for alias in databases or ()
        if alias == migrated
        for one in obstacles(connections[alias])
    ]
