import re

import pytest
from django.test import Client

from observatory.accounts.models import Project
from tests.observatory.asking import ask

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Content-Security-Policy": "default-src 'self'",
}
BY_CREDENTIAL = {"Authorization", "X-API-Key", "Accept", "Accept-Encoding"}
ORIGIN = {"Origin": "https://shop.example"}
STATIC = "/static/observatory/docs.js"


def varies(reply):
    return {name.strip() for name in reply.headers.get("Vary", "").split(",")} - {"origin"}


@pytest.fixture
def public(tenant):
    Project.objects.update(is_public=True)


@pytest.mark.parametrize(
    "path",
    ["/health", "/metrics", "/errors/1200", "/api/v1/traces", "/no-such-path", "/auth/token", STATIC],
)
def test_every_reply_bears_the_security_headers(db, path):
    reply, _ = ask(path)

    assert {name: reply.headers.get(name) for name in SECURITY} == SECURITY


@pytest.mark.parametrize("path", ["/app/sign-in", "/admin/login/", "/admin/no-such/"])
def test_pages_for_people_have_a_policy_that_closes_what_the_default_leaves_open(db, path):
    policy = Client().get(path)["Content-Security-Policy"]

    assert policy == (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        "; connect-src 'self' http://localhost:8081"  # streams have a port of their own
    )


@pytest.mark.parametrize("path", ["/api/docs", "/api/v1/docs"])
def test_the_interactive_page_may_do_what_its_library_needs(path):
    policy = Client().get(path)["Content-Security-Policy"]

    assert policy == "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"


@pytest.mark.parametrize(("secure", "expected"), [(True, "max-age=31536000; includeSubDomains"), (False, None)])
def test_https_is_made_to_stay(db, secure, expected):
    assert Client().get("/health", secure=secure).headers.get("Strict-Transport-Security") == expected


@pytest.mark.parametrize("given", ["a.B-c_9", "a" * 64, "12345678"])
def test_a_request_id_in_good_form_is_kept(db, given):
    given = given.ljust(8, "x")

    assert Client().get("/health", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with space", "käse-käse", "line\tbreak", "semi;colon"])
@pytest.mark.parametrize("path", ["/health", "/no-such-path", STATIC])
def test_any_other_request_id_is_replaced(db, given, path):
    reply, _ = ask(path, headers={"X-Request-ID": given})

    assert re.fullmatch(r"req_[0-9a-f]{32}", reply["X-Request-ID"])


@pytest.mark.parametrize("path", ["/no-such-path", "/api/v1/traces", "/api/v1/metrics/performance?nonsense=1"])
def test_the_body_of_an_error_names_the_request(db, path):
    reply = Client().get(path, headers={"X-Request-ID": "from-the-caller"})

    assert (reply.json()["meta"]["request_id"], reply["X-Request-ID"]) == ("from-the-caller", "from-the-caller")


@pytest.mark.parametrize(
    ("path", "cache_control"),
    [("/api/v1/traces", "private, no-cache"), ("/api/v1/metrics/performance", "private, max-age=60")],
)
def test_answers_for_a_credential_are_private_to_it(api, path, cache_control):
    reply = api.get(path)

    assert (reply["Cache-Control"], varies(reply)) == (cache_control, BY_CREDENTIAL)


def test_a_public_answer_is_not_given_to_those_who_hold_a_credential(public):
    reply = Client().get("/api/v1/metrics/performance", headers={"Accept-Encoding": "gzip"})

    assert (reply["Cache-Control"], varies(reply)) == ("public, max-age=60", BY_CREDENTIAL)


@pytest.mark.parametrize("path", ["/errors", "/errors/1200", "/api/schema", "/api/v1/docs"])
def test_pages_that_are_the_same_for_all_vary_by_their_form_alone(path):
    reply = Client().get(path)

    assert (reply["Cache-Control"], varies(reply)) == ("public, max-age=3600", {"Accept", "Accept-Encoding"})


@pytest.mark.parametrize("path", ["/health", "/metrics", "/no-such-path", "/api/v1/traces", "/v1/traces"])
def test_what_must_not_be_stored_says_so(db, path):
    reply = Client().get(path)

    assert (reply["Cache-Control"], varies(reply), reply.headers.get("ETag")) == ("no-store", BY_CREDENTIAL, None)


@pytest.mark.parametrize("path", ["/api/v1/traces", "/auth/token", "/v1/traces", "/health"])
def test_a_preflight_needs_no_credential_and_is_not_limited(db, path):
    asked = ORIGIN | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    reply = Client().options(path, headers=asked)

    allowed = {
        name: reply.headers.get(f"Access-Control-{name}") for name in ("Allow-Origin", "Allow-Methods", "Max-Age")
    }
    assert (reply.status_code, reply.content, allowed, "X-RateLimit-Limit" in reply) == (
        200,
        b"",
        {"Allow-Origin": "*", "Allow-Methods": "GET, HEAD, POST, PATCH, DELETE, OPTIONS", "Max-Age": "3600"},
        False,
    )
    assert {"authorization", "x-api-key", "x-request-id"} <= set(
        reply["Access-Control-Allow-Headers"].replace(" ", "").split(",")
    )
    assert "Access-Control-Allow-Credentials" not in reply


@pytest.mark.parametrize("path", ["/health", "/no-such-path", "/api/v1/traces", "/errors/1200"])
def test_replies_and_errors_can_be_read_by_a_page_of_another_origin(db, path):
    reply = Client().get(path, headers=ORIGIN)

    assert reply["Access-Control-Allow-Origin"] == "*"
    assert {"X-Request-ID", "Retry-After", "RateLimit"} <= set(
        reply["Access-Control-Expose-Headers"].replace(" ", "").split(",")
    )


def test_a_list_of_origins_is_kept_to(db, settings):
    settings.CORS_ALLOW_ALL_ORIGINS, settings.CORS_ALLOWED_ORIGINS = False, ["https://shop.example"]

    replies = [
        Client().get("/health", headers={"Origin": origin}) for origin in (*ORIGIN.values(), "https://evil.example")
    ]

    assert [reply.headers.get("Access-Control-Allow-Origin") for reply in replies] == ["https://shop.example", None]
    assert ["origin" in reply["Vary"].lower() for reply in replies] == [True, True]


@pytest.mark.parametrize("path", ["/api/v1/traces", "/v1/traces", "/auth/token"])
def test_options_without_a_preflight_is_free(db, path):
    reply = Client().options(path)

    assert (reply.status_code, "X-RateLimit-Limit" in reply) == (200, False)
