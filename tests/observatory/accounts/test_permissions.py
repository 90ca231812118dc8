import pytest

from observatory.accounts.roles import MATRIX, PERMISSIONS, ROLES, expand, permissions_of
from tests.observatory.accounts.credentials import bearer, claims, error, signed, token_of

TRACE = "/api/v1/traces/" + "ab" * 16


@pytest.mark.parametrize(
    ("spelling", "granted"),
    [
        ("*", PERMISSIONS),
        ("exports:*", {"exports:create", "exports:cancel", "exports:read", "exports:download"}),
        ("traces:read", {"traces:read"}),
        ("read:traces", {"traces:read"}),
        ("*:traces", set()),
        ("traces", set()),
        ("traces:fly", set()),
        ("*:*", set()),
        (":", set()),
        ("", set()),
        ("TRACES:READ", set()),
    ],
)
def test_a_spelling_grants(spelling, granted):
    assert expand([spelling]) == granted


def test_spellings_add_up():
    assert expand(["read:traces", "metrics:*", "nonsense"]) == {"traces:read", "metrics:read", "metrics:query"}


def test_an_administrator_holds_everything():
    assert set(permissions_of("admin")) == PERMISSIONS


def test_every_role_of_the_matrix_is_known():
    assert set().union(*MATRIX.values()) == set(ROLES)


# What each role may do on each route: 404 is a trace that is looked for, 415 a body that is looked at.
@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/traces", {"admin": 200, "developer": 200, "viewer": 200, "billing": 403}),
        ("GET", TRACE, {"admin": 404, "developer": 404, "viewer": 404, "billing": 403}),
        ("GET", "/api/v1/metrics/performance", {"admin": 200, "developer": 200, "viewer": 200, "billing": 403}),
        ("GET", "/api/v1/analytics/performance", {"admin": 200, "developer": 200, "viewer": 200, "billing": 403}),
        ("POST", "/v1/traces", {"admin": 415, "developer": 403, "viewer": 403, "billing": 403}),
        ("POST", "/api/v1/otlp/v1/traces", {"admin": 415, "developer": 403, "viewer": 403, "billing": 403}),
    ],
)
def test_a_role_may_do_what_its_column_says(member, method, path, expected):
    found = {}
    for role in ROLES:
        member(role)
        found[role] = bearer(token_of(role)).generic(method, path, content_type="text/plain").status_code

    assert found == expected


@pytest.mark.parametrize(
    ("path", "action", "permission"),
    [
        ("/api/v1/traces", "read traces", "traces:read"),
        (TRACE, "read traces", "traces:read"),
        ("/api/v1/metrics/performance", "read metrics", "metrics:read"),
    ],
)
def test_a_refusal_says_what_is_missing(make_tenant, path, action, permission):
    reply = bearer(make_tenant(permissions=["ingest:write"]).key).get(path)

    told = reply.json()["error"]
    assert (reply.status_code, told["code"], told["message"], told["details"]) == (
        403,
        1100,
        f"Insufficient permissions to {action}",
        permission,
    )


@pytest.mark.parametrize("permissions", [["*"], ["traces:*"], ["read:traces"], ["nonsense", "traces:read", 5, None]])
def test_a_token_may_spell_its_permissions_in_every_way(tenant, permissions):
    assert bearer(signed(claims(tenant, permissions=permissions))).get("/api/v1/traces").status_code == 200


def test_a_token_of_an_administrator_needs_no_list(tenant):
    token = signed(claims(tenant, role="admin", permissions=[], projects=[]))

    assert bearer(token).get("/api/v1/traces").status_code == 200


@pytest.mark.parametrize("permissions", [[], ["traces"], ["metrics:read"]])
def test_a_token_may_do_no_more_than_its_permissions(tenant, permissions):
    reply = bearer(signed(claims(tenant, permissions=permissions))).get("/api/v1/traces")

    assert error(reply) == (403, 1100, "traces:read")
