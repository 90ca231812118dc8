"""The error body as the OpenAPI document shows it."""

from typing import Any

_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "error_code", "category", "message"],
    "properties": {
        "code": {"type": "integer"},
        "error_code": {"type": "string"},
        "category": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": "string"},
        "field": {"type": "string"},
    },
}
_META: dict[str, Any] = {
    "type": "object",
    "required": ["timestamp", "request_id", "documentation_url"],
    "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string"},
        "documentation_url": {"type": "string", "format": "uri"},
    },
}
_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["error", "meta"],
    "properties": {"error": _ERROR, "meta": _META},
}
COMPONENTS: dict[str, Any] = {"Error": _ENVELOPE}
# Replies that every route can give.
ERROR_REPLIES: dict[int, dict[str, Any]] = {
    status: {"$ref": "#/components/schemas/Error"} for status in (400, 401, 403, 404, 405, 406, 409, 429, 500, 503, 504)
}
