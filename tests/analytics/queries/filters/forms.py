"""Filters in their JSON form, short, and limits that are small enough to reach."""

from datetime import UTC, datetime

from analytics.queries.filters.tree import Leaf
from analytics.queries.filters.values import Limits

LIMITS = Limits(depth=4, leaves=6, values=3, regex_chars=20, text_chars=200, now=datetime(2026, 3, 1, 12, tzinfo=UTC))


def leaf(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def both(operator, *filters):
    return {"operator": operator, "filters": list(filters)}


def plain(node):
    """Return what a tree compares, whatever the names in it."""
    if isinstance(node, Leaf):
        return (node.target.field.key, node.target.key, node.operator.key, node.value)
    return (node.joint, *map(plain, node.parts))
