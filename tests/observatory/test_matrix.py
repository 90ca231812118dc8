"""Every documented route, asked by every role of two organisations with token, key and nothing, against the matrix."""

import itertools
import re

import pytest
from django.test import Client
from django.urls import resolve

from observatory.accounts.models import ApiKey, Membership
from observatory.accounts.roles import MATRIX, PERMISSIONS, ROLES
from observatory.accounts.services import api_key_create, member_create
from tests.analytics.api.payloads import request, span
from tests.documented import DOCUMENT
from tests.observatory.accounts.credentials import PASSWORD, token_of

# The web process leads to the live process without judging anybody; who hears what there is tested beside it.
STREAMS = {"/api/v1/events", "/api/v1/ws"}
OPERATIONS = [
    (method.upper(), path)
    for path, item in sorted(DOCUMENT["paths"].items())
    for method in item
    if method in ("get", "post", "patch", "delete") and path.startswith("/api/v1/") and path not in STREAMS
]
TRACES = {"acme": "aa" * 16, "umbrella": "bb" * 16}
SECRETS = {"acme": "marigold", "umbrella": "nasturtium"}


def permission_of(method, path):
    """Return what the route asks for: a permission, `None` for any credential."""
    view = resolve(re.sub(r"\{\w+\}", "x", path)).func.cls
    per_method = getattr(view, "permissions", None)
    return getattr(view, "permission", None) if per_method is None else per_method.get(method)


@pytest.fixture
def world(make_tenant):
    """Two organisations alike, each with a trace, members and keys of each role; those of the first do the asking."""
    callers, seen = {}, {}
    for slug in ("acme", "umbrella"):
        tenant = make_tenant(slug, projects=(f"{slug}-project",))
        sent = span(traceId=TRACES[slug], attributes={"gen_ai.input.messages": SECRETS[slug], "user.id": SECRETS[slug]})
        reply = Client(headers=tenant.headers).post("/v1/traces", request(sent), content_type="application/json")
        assert reply.status_code == 200
        seen[slug] = {
            "project": str(tenant.projects[0].public_id),
            "values": {SECRETS[slug], f"{slug}-project", f"{slug}-viewer", str(tenant.projects[0].public_id)},
        }
        for role in ROLES:
            name = f"{slug}-{role}"
            member_create(
                organisation=tenant.organisation, username=name, password=PASSWORD, role=role, projects=tenant.projects
            )
            held = [permission for permission, roles in MATRIX.items() if role in roles]
            key = api_key_create(
                organisation=tenant.organisation, name=name, projects=tenant.projects, permissions=held, tier=role
            )
            if slug == "acme":
                callers[slug, role, "token"] = (f"Bearer {token_of(name)}", frozenset(held))
                callers[slug, role, "key"] = (f"Bearer {key.secret}", frozenset(held))
        seen[slug]["key"] = str(ApiKey.objects.get(name=f"{slug}-viewer").id)
        owner = Client(headers=tenant.headers)
        budget = {"name": f"{slug}-budget", "amount": 5, "period": "daily"}
        seen[slug]["budget"] = owner.post("/api/v1/costs/budgets", budget, content_type="application/json").json()["id"]
        channel = {"name": f"{slug}-channel", "type": "slack", "url": f"https://192.0.1.1/{slug}"}
        seen[slug]["channel"] = owner.post("/api/v1/channels", channel, content_type="application/json").json()["id"]
        seen[slug]["values"] |= {f"{slug}-budget", f"{slug}-channel"}
        seen[slug]["member"] = str(Membership.objects.get(user__username=f"{slug}-viewer").public_id)
    return callers, seen


def ask(method, path, owner, seen, credential):
    """Ask for what belongs to `owner`."""
    ids = {"trace_id": TRACES[owner]}
    resource = next((one for one in ("key", "member", "project", "budget", "channel") if f"/{one}s/" in path), None)
    if resource:
        ids["id"] = seen[owner][resource]
    url = re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], "x"), path)
    headers = {"Authorization": credential} if credential else {}
    # Bodies are wrong on purpose: nothing may be changed, and permission is judged before them.
    body = {"data": {"no such member": 1}, "content_type": "application/json"} if method in ("POST", "PATCH") else {}
    client = Client(headers=headers, raise_request_exception=False)
    return getattr(client, method.lower())(url, **body)


# Thousands of requests, each route's alike: to measure what they cover takes as long as to ask, and each route has its tests.
@pytest.mark.no_cover
@pytest.mark.parametrize("kept", [True, False], ids=["caches on", "caches off"])
def test_every_route_answers_every_caller_as_the_matrix_says(world, settings, kept):
    if not kept:
        for name in ("CACHE_DEFAULT_TTL", "CACHE_FORECAST_TTL", "CACHE_LABELS_TTL", "CACHE_TRACE_TTL"):
            setattr(settings, name, 0)
        settings.CACHE_OPEN_SECONDS = 0
    callers, seen = world
    wrong = []
    for (method, path), ((slug, role, kind), (credential, held)) in itertools.product(OPERATIONS, callers.items()):
        if method == "DELETE" or (method != "GET" and not kept):
            continue  # asked below, for what is gone cannot be asked for again; and nothing else is ever kept
        needed = permission_of(method, path)
        may = needed is None or needed in held or (kind == "token" and role == "admin" and needed in PERMISSIONS)
        other = "umbrella" if slug == "acme" else "acme"
        own, foreign = (ask(method, path, owner, seen, credential) for owner in (slug, other))
        leaks = sorted(value for value in seen[other]["values"] if value in (own.content + foreign.content).decode())
        allowed = {200, 304, 400, 404, 415, 422} if may else {403}
        if own.status_code not in allowed or foreign.status_code not in allowed or leaks:
            wrong.append((method, path, role, kind, own.status_code, foreign.status_code, leaks))
        if "{" in path and "/rotate" not in path and method == "GET" and may and foreign.status_code != 404:
            wrong.append((method, path, role, kind, "foreign", foreign.status_code))

    assert wrong == []


def test_nobody_deletes_what_is_foreign_or_without_permission(world):
    callers, seen = world
    wrong = []
    for (method, path), ((slug, role, kind), (credential, held)) in itertools.product(OPERATIONS, callers.items()):
        if method != "DELETE":
            continue
        may = permission_of(method, path) in held
        other = "umbrella" if slug == "acme" else "acme"
        statuses = [ask(method, path, other, seen, credential).status_code]
        statuses += [] if may else [ask(method, path, slug, seen, credential).status_code]
        if statuses != ([404] if may else [403, 403]):
            wrong.append((path, role, kind, statuses))

    assert wrong == []


def test_without_a_credential_every_route_is_closed_while_nothing_is_public(world):
    _, seen = world
    replies = {(method, path): ask(method, path, "acme", seen, None) for method, path in OPERATIONS}

    # OTLP answers in the encoding of the request.
    assert {one: reply.status_code for one, reply in replies.items() if reply.status_code != 401} == {}
