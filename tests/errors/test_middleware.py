import pytest


def facts(response):
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, 1300),
        ("/framework/", 404, 1300),
        ("/fails/missing", 404, 1300),
        ("/fails/forbidden", 403, 1100),
        ("/fails/suspicious", 400, 1200),
        ("/fails/oversized", 413, 1209),
        ("/fails/database", 503, 1601),
        ("/fails/bug", 500, 1900),
        ("/fails/catalogued", 400, 1200),
        ("/plain-404", 404, 1300),
    ],
)
def test_whatever_fails_answers_with_the_envelope(failing_client, path, status, code):
    assert facts(failing_client.get(path)) == (status, code)


@pytest.mark.parametrize("path", ["/fails/bug", "/framework"])
def test_an_unforeseen_exception_says_nothing_of_our_insides(failing_client, path):
    response = failing_client.put(path)

    assert (response.status_code, b"secret" in response.content) == (500, False)


def test_a_body_that_cannot_be_rendered_is_an_error_of_ours(failing_client):
    assert facts(failing_client.patch("/framework")) == (500, 1900)


@pytest.mark.parametrize(
    ("path", "allowed"), [("/get-only", "GET, HEAD, OPTIONS"), ("/framework", "GET, POST, PUT, PATCH, HEAD, OPTIONS")]
)
def test_a_method_that_is_not_served_is_told_those_that_are(failing_client, path, allowed):
    response = failing_client.delete(path)

    assert (*facts(response), response.headers["Allow"]) == (405, 1305, allowed)


@pytest.mark.parametrize("path", ["/framework", "/plain-404"])
def test_the_form_of_the_error_follows_the_accept_header(failing_client, path):
    response = failing_client.get(path, headers={"Accept": "application/problem+json"})

    assert response.headers["Content-Type"] == "application/problem+json"


def test_malformed_json_is_refused_by_the_framework(failing_client):
    assert facts(failing_client.post("/framework", b"{", content_type="application/json")) == (400, 1200)


def test_a_success_passes_untouched(failing_client):
    response = failing_client.get("/framework")

    assert (response.status_code, response.content) == (200, b'{"fine":true}')


def test_a_reply_with_its_own_error_body_passes_untouched(failing_client):
    response = failing_client.get("/health")

    assert (response.status_code, response.content) == (503, b'{"status":"degraded"}')


def test_headers_of_a_replaced_reply_are_kept_but_those_of_its_body(failing_client):
    response = failing_client.get("/plain-404")

    assert (response.headers["X-Kept"], "ETag" in response.headers) == ("yes", False)


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/plain-404", 404), ("/fails/bug", 500)])
def test_a_head_request_gets_the_status_and_no_body(failing_client, path, status):
    response = failing_client.head(path)

    assert (response.status_code, response.content) == (status, b"")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, 1300),
        ("/fails/forbidden", 403, 1100),
        ("/fails/oversized", 413, 1209),
        ("/fails/database", 503, 1601),
    ],
)
def test_the_projects_handlers_answer_for_what_fails_outside_the_middleware(
    failing_client, settings, path, status, code
):
    settings.MIDDLEWARE = []

    assert facts(failing_client.get(path)) == (status, code)
