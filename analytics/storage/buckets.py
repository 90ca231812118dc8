"""Buckets of a project, as values and as parameters of SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

Bucket = tuple[int, int, datetime]
# SQL: the buckets that the parameters of `columns_of` name.
GIVEN = """unnest(%(organisations)s::int[], %(projects)s::int[], %(starts)s::timestamptz[])
                AS given (organisation_id, project_id, bucket)"""


def columns_of(buckets: Sequence[Bucket]) -> dict[str, Any]:
    """Return `buckets` (organisation, project, start) as the parameters of `GIVEN`."""
    organisations, projects, starts = (list(column) for column in zip(*buckets, strict=True))
    return {"organisations": organisations, "projects": projects, "starts": starts}


def lock_name(grain: str) -> str:
    """Return the name of the lock that whoever makes buckets of `grain` holds: two would insert the same rows."""
    return f"llm-observatory refresh {grain}"
