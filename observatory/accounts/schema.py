"""Credentials, and bodies of the token endpoints, as the schema shows them."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class CredentialScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """A token or key as a bearer, or a key in its own header."""

    target_class = "observatory.accounts.authentication.CredentialAuthentication"
    name = ["bearer", "apiKey"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        """Return the alternatives: either credential; on public routes also none."""
        public = getattr(auto_schema.view, "public", False)
        return [{"bearer": []}, {"apiKey": []}, *([{}] if public else [])]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:  # noqa: ARG002  the library's
        return [
            {"type": "http", "scheme": "bearer", "description": "An access token of /auth/token, or an API key."},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]


def _object(required: list[str], **members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": members, "additionalProperties": False}


_TEXT = {"type": "string", "minLength": 1}
_NAMES = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def _request(body: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": body, "application/x-www-form-urlencoded": body}


TOKEN_REQUEST = _request(
    {
        "type": "object",
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials", "password"]},
            "client_id": _TEXT,
            "client_secret": _TEXT,
            "username": _TEXT,
            "password": _TEXT,
            "organisation": _TEXT,
            "projects": _NAMES,
            "scope": _NAMES,
        },
        "additionalProperties": False,
    }
)
REFRESH_REQUEST = _request(_object(["refresh_token"], refresh_token=_TEXT))
REVOKE_REQUEST = _request(_object(["token"], token=_TEXT))
TOKEN_REPLY = _object(
    ["access_token", "token_type", "expires_in", "scope", "org_id"],
    access_token=_TEXT,
    token_type={"type": "string", "const": "Bearer"},
    expires_in={"type": "integer"},
    scope={"type": "string"},
    org_id={"type": "string", "format": "uuid"},
    refresh_token=_TEXT,
    refresh_expires_in={"type": "integer"},
)
