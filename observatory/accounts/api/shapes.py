"""Resources as clients see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analytics.storage.retention import Limits
from analytics.storage.spans import Tenant
from observatory.accounts.models import ApiKey, AuditEntry, Membership, Project
from observatory.accounts.roles import PERMISSIONS, ROLES

_TIME = {"type": "string", "format": "date-time"}
_ID = {"type": "string", "format": "uuid"}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_IDS = {"type": "array", "items": _ID}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}


KEY = _object(
    id=_ID,
    name={"type": "string"},
    prefix={"type": "string"},
    environment={"type": "string", "enum": ["live", "test"]},
    projects=_IDS,
    permissions=_TEXTS,
    rate_limit_tier={"type": "string", "enum": list(ROLES)},
    allowed_ips=_TEXTS,
    signing={"type": "string", "enum": ["off", "required"]},
    created_at=_TIME,
    created_by=_or_null(_ID),
    expires_at=_or_null(_TIME),
    last_used_at=_or_null(_TIME),
    rotated_at=_or_null(_TIME),
    previous_expires_at=_or_null(_TIME),
    revoked_at=_or_null(_TIME),
    status={"type": "string", "enum": ["active", "rotating", "expired", "revoked"]},
)
NEW_KEY = {
    **KEY,
    "properties": {
        **KEY["properties"],
        "key": {"type": "string", "description": "Shown once; a replayed reply comes without it."},
        "signing_secret": _or_null({"type": "string"}),
    },
}
PROJECT = _object(
    id=_ID,
    org_id=_ID,
    name={"type": "string"},
    slug={"type": "string"},
    is_public={"type": "boolean"},
    archived={"type": "boolean"},
    content_capture={"type": "string", "enum": ["full", "none"]},
    redaction={"type": "object"},
    retention=_object(spans_days=_or_null({"type": "integer"}), content_days=_or_null({"type": "integer"})),
    usage_exclusive_scopes=_TEXTS,
    created_at=_TIME,
    updated_at=_TIME,
)
MEMBER = _object(
    id=_ID, user_id=_ID, email={"type": "string"}, role={"type": "string", "enum": list(ROLES)}, projects=_IDS,
    created_at=_TIME,
)  # fmt: skip
TICKET = _object(
    ticket={"type": "string"},
    expires_in={"type": "integer", "description": "Seconds within which a stream must be opened with it, once."},
    ws_url={"type": "string", "format": "uri"},
    sse_url={"type": "string", "format": "uri"},
)
ME = _object(
    principal={"type": "string", "enum": ["user", "key"]},
    id={"type": "string"},
    org_id=_ID,
    organisations={
        "type": "array",
        "items": _object(id=_ID, slug={"type": "string"}, role={"type": "string", "enum": list(ROLES)}),
    },
    role=_or_null({"type": "string"}),
    projects=_IDS,
    permissions={"type": "array", "items": {"type": "string", "enum": sorted(PERMISSIONS)}},
    rate_limit_tier={"type": "string"},
    ws_url={"type": "string", "format": "uri"},
    sse_url={"type": "string", "format": "uri"},
)
AUDIT_ENTRY = _object(
    id=_ID,
    ts=_TIME,
    user_id=_or_null(_ID),
    key_id=_or_null(_ID),
    action={"type": "string"},
    resource_type={"type": "string"},
    resource_id=_or_null({"type": "string"}),
    success={"type": "boolean"},
    ip_address={"type": "string"},
    user_agent={"type": "string"},
    request_id={"type": "string"},
    metadata=_object(duration_ms={"type": "integer"}, status_code={"type": "integer"}, changes=_TEXTS),
)
COMPONENTS: Mapping[str, dict[str, Any]] = {
    "ApiKey": KEY,
    "NewApiKey": NEW_KEY,
    "Project": PROJECT,
    "Member": MEMBER,
    "Me": ME,
    "Ticket": TICKET,
    "AuditEntry": AUDIT_ENTRY,
    "Page": _object(
        total={"type": "integer"}, limit={"type": "integer"}, offset={"type": "integer"}, has_more={"type": "boolean"}
    ),
}


def ref(component: str) -> dict[str, str]:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{component}"}


def listed(name: str, component: str) -> dict[str, Any]:
    """Return the shape of a named list."""
    return _object(**{name: {"type": "array", "items": ref(component)}, "pagination": ref("Page")})


def shown_key(key: ApiKey, *, now: datetime) -> dict[str, Any]:
    """Return a key as clients see it."""
    use = getattr(key, "use", None)
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "environment": key.environment,
        "projects": [str(one.public_id) for one in key.projects.all()],
        "permissions": key.permissions,
        "rate_limit_tier": key.rate_limit_tier,
        "allowed_ips": key.allowed_ips,
        "signing": key.signing,
        "created_at": key.created_at,
        "created_by": key.created_by_id and str(key.created_by_id),
        "expires_at": key.expires_at,
        "last_used_at": use.last_used_at if use else None,
        "rotated_at": key.rotated_at,
        "previous_expires_at": key.previous_expires_at,
        "revoked_at": key.revoked_at,
        "status": key.status(now=now),
    }


def shown_project(project: Project, *, limits: Limits) -> dict[str, Any]:
    """Return a project as clients see it."""
    rules = limits.rules.get(Tenant(organisation_id=project.organisation_id, project_id=project.id), {})
    return {
        "id": str(project.public_id),
        "org_id": str(project.organisation.public_id),
        "name": project.name,
        "slug": project.slug,
        "is_public": project.is_public,
        "archived": project.archived,
        "content_capture": project.content_capture,
        "redaction": project.redaction,
        "retention": {"spans_days": rules.get("spans"), "content_days": rules.get("content")},
        "usage_exclusive_scopes": project.usage_exclusive_scopes,
        "created_at": project.created_at,
        "updated_at": project.updated_at,
    }


def shown_member(member: Membership) -> dict[str, Any]:
    """Return a member as clients see it."""
    return {
        "id": str(member.public_id),
        "user_id": str(member.user_id),
        "email": member.user.email,
        "role": member.role,
        "projects": [str(one.public_id) for one in member.projects.all()],
        "created_at": member.created_at,
    }


def shown_entry(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry of the audit log as clients see it."""
    return {
        "id": str(entry.id),
        "ts": entry.ts,
        "user_id": entry.user_id and str(entry.user_id),
        "key_id": entry.key_id and str(entry.key_id),
        "action": entry.action,
        "resource_type": entry.resource_type,
        "resource_id": entry.resource_id,
        "success": entry.success,
        "ip_address": entry.ip_address,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
        "metadata": {
            "duration_ms": entry.duration_ms,
            "status_code": entry.status_code,
            "changes": entry.changes,
        },
    }
