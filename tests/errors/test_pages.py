import pytest

from errors.catalog import CATALOGUE

JSON = {"Accept": "application/json"}
CACHING = ("public, max-age=3600", "Accept, Accept-Encoding")


def test_an_error_is_explained_as_json(failing_client):
    response = failing_client.get("/errors/1207", headers=JSON)

    assert response.json() == {
        "code": 1207,
        "name": "INVALID_CURSOR",
        "title": "Invalid cursor",
        "category": "VALIDATION",
        "status": 400,
        "meaning": "The cursor cannot continue this list.",
        "cause": "It is damaged, or was made for another filter, order or scope.",
        "cure": "Ask for the first page, and change only limit, fields and include between pages.",
        "retryable": False,
    }


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_error_has_a_page_that_holds_its_texts(failing_client, code):
    spec = CATALOGUE[code]
    page = failing_client.get(f"/errors/{code}", headers={"Accept": "text/html"}).content.decode()

    assert [text for text in (spec.title, spec.error_code) if text not in page] == []


def test_a_page_needs_nothing_that_a_strict_policy_forbids(failing_client):
    page = failing_client.get("/errors/1000").content.decode()

    assert [bad for bad in ("<script", "<style", "style=", "http://", "https://") if bad in page] == []


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
    ],
)
@pytest.mark.parametrize("path", ["/errors", "/errors/1000"])
def test_the_accept_header_chooses_between_html_and_json(failing_client, path, accept, content_type):
    response = failing_client.get(path, headers={"Accept": accept})

    assert response.headers["Content-Type"] == content_type


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_page_may_be_cached_for_an_hour(failing_client, accept):
    response = failing_client.get("/errors/1000", headers={"Accept": accept})

    assert (response.headers["Cache-Control"], response.headers["Vary"]) == CACHING


def test_the_index_lists_the_whole_catalogue(failing_client):
    rows = failing_client.get("/errors", headers=JSON).json()["errors"]

    assert [row["code"] for row in rows] == list(CATALOGUE)


@pytest.mark.parametrize("path", ["/errors/1999", "/errors/999999999999999999999", "/errors/abc", "/errors/1000/"])
def test_an_unknown_number_is_not_found(failing_client, path):
    response = failing_client.get(path, headers=JSON)

    assert (response.status_code, response.json()["error"]["code"]) == (404, 1300)


def test_who_accepts_neither_form_is_refused(failing_client):
    response = failing_client.get("/errors/1000", headers={"Accept": "image/png"})

    assert (response.status_code, response.json()["error"]["message"]) == (
        406,
        "The Accept header excludes every form on offer: accept text/html or application/json",
    )


def test_a_page_is_only_read(failing_client):
    response = failing_client.post("/errors/1000")

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
