"""The permission matrix as data, and the one function that understands how permissions may be spelled."""

from collections.abc import Iterable

ROLES = ("admin", "developer", "viewer", "billing")
# Tiers of rate limits, the smallest first; nobody gives a key a larger one than their own.
TIERS = ("billing", "viewer", "developer", "admin")

# Permission -> roles whose tokens carry it.
MATRIX: dict[str, frozenset[str]] = {
    "traces:read": frozenset({"admin", "developer", "viewer"}),
    "metrics:read": frozenset({"admin", "developer", "viewer"}),
    "metrics:query": frozenset({"admin", "developer", "viewer"}),
    "costs:read": frozenset({"admin", "developer", "viewer", "billing"}),
    "usage:read": frozenset({"admin", "developer", "viewer", "billing"}),
    "budgets:write": frozenset({"admin", "billing"}),
    "exports:create": frozenset({"admin", "developer"}),
    "exports:cancel": frozenset({"admin", "developer"}),
    "exports:read": frozenset({"admin", "developer", "viewer"}),
    "exports:download": frozenset({"admin", "developer", "viewer"}),
    "feedback:write": frozenset({"admin", "developer"}),
    "evaluations:write": frozenset({"admin", "developer"}),
    "alerts:read": frozenset({"admin", "developer", "viewer", "billing"}),
    "projects:manage": frozenset({"admin"}),
    "keys:manage": frozenset({"admin"}),
    "users:manage": frozenset({"admin"}),
    "audit:read": frozenset({"admin"}),
    "ingest:write": frozenset({"admin"}),
}
PERMISSIONS = frozenset(MATRIX)
# What changes nothing.
READING = frozenset(one for one in PERMISSIONS if one.endswith((":read", ":query", ":download")))


def permissions_of(role: str) -> list[str]:
    """Return the permissions a token of `role` carries, sorted."""
    return sorted(permission for permission, roles in MATRIX.items() if role in roles)


def expand(spellings: Iterable[str]) -> frozenset[str]:
    """Return the known permissions that `spellings` grant: `*`, `resource:*`, `resource:action`, `action:resource`.

    Unknown spellings grant nothing.
    """
    granted: set[str] = set()
    for spelling in spellings:
        resource, _, action = spelling.partition(":")
        if spelling == "*":
            granted |= PERMISSIONS
        elif action == "*":
            granted |= {permission for permission in PERMISSIONS if permission.startswith(f"{resource}:")}
        else:
            granted |= {spelling, f"{action}:{resource}"} & PERMISSIONS
    return frozenset(granted)
