"""Signing in, and tokens that the service did not make."""

import time
from typing import Any
from uuid import uuid4

import jwt
from django.conf import settings
from django.test import Client

PASSWORD = "correct horse battery"
MISSING = object()


def client(**headers: str) -> Client:
    return Client(headers=headers, raise_request_exception=False)


def bearer(token: str) -> Client:
    return client(Authorization=f"Bearer {token}")


def sign_in(username: str, /, *, as_form: bool = False, **given: Any) -> Any:
    """Ask for a token by password and return the reply."""
    body = {"grant_type": "password", "username": username, "password": PASSWORD} | given
    return post("/auth/token", body, as_form=as_form)


def post(path: str, body: dict[str, Any], *, as_form: bool = False) -> Any:
    if as_form:
        body = "&".join(f"{name}={value}" for name, value in body.items())
        return client().post(path, body, content_type="application/x-www-form-urlencoded")
    return client().post(path, body, content_type="application/json")


def token_of(username: str, **given: Any) -> str:
    reply = sign_in(username, **given)
    assert reply.status_code == 200, reply.json()
    return reply.json()["access_token"]


def claims(tenant: Any, *, age: int = 0, lives: int = 60, **given: Any) -> dict[str, Any]:
    """Return claims of a developer that the service does not know, `age` seconds old, ending in `lives` seconds.

    A claim given as `MISSING` is left out.
    """
    now = int(time.time())
    made = {
        "sub": str(uuid4()),
        "org_id": str(tenant.organisation.public_id),
        "projects": [str(project.public_id) for project in tenant.projects],
        "role": "developer",
        "permissions": ["traces:read"],
        "iat": now - age,
        "exp": now + lives,
        "jti": str(uuid4()),
    } | given
    return {name: value for name, value in made.items() if value is not MISSING}


def signed(payload: dict[str, Any], *, key: str | None = None, algorithm: str = "HS256") -> str:
    return jwt.encode(payload, settings.JWT_SECRET if key is None else key, algorithm=algorithm)


def content_of(token: str) -> dict[str, Any]:
    """Return the claims of a token without verifying it."""
    return jwt.decode(token, options={"verify_signature": False})


def error(reply: Any) -> tuple[Any, ...]:
    """Return status, code, and field and details where there are any."""
    told = reply.json()["error"]
    return reply.status_code, told["code"], *(told[name] for name in ("field", "details") if name in told)
