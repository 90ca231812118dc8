import pytest
from django.test import Client

from tests.analytics.api.payloads import span
from tests.observatory.asking import ask

TRACE = "ab" * 16
ROUTES = [
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/errors",
    "/errors/1200",
    "/api/schema",
    "/api/docs",
    "/api/v1/schema",
    "/api/v1/docs",
    "/api/v1/traces",
    f"/api/v1/traces/{TRACE}",
    "/api/v1/metrics/performance",
    "/api/v1/analytics/performance",
    "/static/observatory/docs.js",
]
CHANGING = {
    "X-Request-ID", "Content-Length", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit", "ETag",
    "X-Cache", "Age",  # the second asks for what the first left behind
}  # fmt: skip


@pytest.fixture
def stored(api):
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span(traceId=TRACE)]}]}]}
    assert api.post("/v1/traces", body, content_type="application/json").status_code == 200


def headers_of(reply):
    return {name: value for name, value in reply.items() if name not in CHANGING}


@pytest.mark.parametrize("path", ROUTES)
def test_head_answers_as_get_does_without_a_body(api, stored, path):
    (got, _), (head, body) = (ask(path, method=method, client=api) for method in ("GET", "HEAD"))

    assert (got.status_code, head.status_code, body) == (200, 200, b"")
    assert headers_of(head) == headers_of(got)
    assert ("ETag" in head) == ("ETag" in got)


@pytest.mark.parametrize("path", ["/errors/1200", "/api/schema", "/api/v1/docs"])
def test_head_bears_the_tag_of_get(path):
    assert Client().head(path)["ETag"] == Client().get(path)["ETag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/no-such-path", 404), ("/errors/9999", 404), ("/api/v1/traces", 401), ("/auth/token", 405)],
)
def test_head_of_an_error_has_no_body(db, path, status):
    reply = Client().head(path)

    assert (reply.status_code, reply.content) == (status, b"")


@pytest.mark.parametrize("path", [*(f"{path}/" for path in ROUTES), "/auth/token/", "/v1/traces/"])
def test_a_path_with_a_slash_at_the_end_is_none(api, path):
    reply = api.get(path)

    assert (reply.status_code, reply.json()["error"]["code"]) == (404, 1300)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/graphql",
        "/api/v1/dashboards",
        "/api/v1/dashboards/1",
        "/api/v1/regions",
        "/api/v1/regions/eu",
        "/api/v1",
        "/api/v2/traces",
        "/admin",
        "/errors/12.5",
        "/errors/99999999999999999999999",
        "/static/no-such.js",
        "/static/../manage.py",
        "//health",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_served_is_not_found(api, method, path):
    reply = api.generic(method, path)

    expected = {(404, 1300), (405, 1305)} if path.startswith("/errors/9") and method == "POST" else {(404, 1300)}
    assert (reply.status_code, reply.json()["error"]["code"]) in expected


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET, HEAD"),
        ("PUT", "/errors/1200", "GET, HEAD"),
        ("DELETE", "/api/v1/traces", "GET, HEAD, OPTIONS"),
        ("POST", "/api/v1/metrics/performance", "GET, HEAD, OPTIONS"),
        ("GET", "/auth/token", "POST, OPTIONS"),
        ("BREW", "/api/v1/traces", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_told_which_ones_there_are(api, method, path, allowed):
    reply = api.generic(method, path)

    assert (reply.status_code, reply.json()["error"]["code"], reply["Allow"]) == (405, 1305, allowed)


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0"])
def test_json_is_all_that_a_json_route_offers(api, accept):
    reply = api.get("/api/v1/traces", headers={"Accept": accept})

    assert (reply.status_code, reply.json()["error"]["code"]) == (406, 1210)
