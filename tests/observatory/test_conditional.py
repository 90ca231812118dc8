import gzip

import pytest
from django.test import Client

PAGE = "/errors/1200"


@pytest.fixture
def tag():
    return Client().get(PAGE)["ETag"]


def ask(etag, *, path=PAGE, method="GET", **headers):
    return Client().generic(method, path, headers={"If-None-Match": etag} | headers)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_client_that_has_the_same_page_gets_304(tag, method):
    reply = ask(tag, method=method)

    assert (reply.status_code, reply.content, reply["ETag"], reply["Cache-Control"]) == (
        304,
        b"",
        tag,
        "public, max-age=3600",
    )
    assert {"Accept", "Accept-Encoding"} <= set(reply["Vary"].split(", "))
    assert "X-Request-ID" in reply


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other",W/{}'])
def test_tags_are_compared_weakly_and_may_be_listed(tag, form):
    assert ask(form.format(tag)).status_code == 304


@pytest.mark.parametrize("given", ["*"])
def test_a_star_is_every_page(given):
    assert ask(given).status_code == 304


@pytest.mark.parametrize("given", ['"other"', "unquoted", ""])
def test_another_tag_gets_the_page(given):
    assert ask(given).status_code == 200


def test_a_client_that_takes_gzip_gets_the_weak_tag_of_the_page_in_both_replies(tag):
    got = Client().get(PAGE, headers={"Accept-Encoding": "gzip"})
    again = ask(got["ETag"], **{"Accept-Encoding": "gzip"})

    assert (got["ETag"], again.status_code, again["ETag"]) == (f"W/{tag}", 304, f"W/{tag}")


def test_a_304_still_says_what_is_left(api):
    url = "/api/v1/metrics/performance?start_time=2026-11-01&end_time=2026-11-02"
    got = api.get(url)
    again = api.get(url, headers={"If-None-Match": got["ETag"]})

    limits = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit", "RateLimit-Policy"]
    assert (again.status_code, again["Cache-Control"], [name in again for name in limits]) == (
        304,
        "private, max-age=60",
        [True] * 5,
    )


@pytest.mark.parametrize("header", ["If-Match", "If-Unmodified-Since"])
def test_preconditions_of_writes_mean_nothing_to_a_get(header):
    value = {"If-Match": '"other"', "If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}[header]

    assert Client().get(PAGE, headers={header: value}).status_code == 200


@pytest.mark.parametrize("path", ["/no-such-path", "/api/v1/traces", "/api/v1/traces?limit=0", "/auth/token"])
def test_an_error_is_never_replaced_by_304(db, path):
    assert ask("*", path=path).status_code in {404, 401, 405}


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_what_must_not_be_stored_is_sent_in_full(db, path):
    assert ask("*", path=path).status_code == 200


@pytest.mark.parametrize("path", ["/errors", "/api/schema", "/api/docs"])
def test_replies_of_200_bytes_and_more_are_compressed(path):
    plain, packed = Client().get(path), Client().get(path, headers={"Accept-Encoding": "br, gzip"})

    assert (packed["Content-Encoding"], gzip.decompress(packed.content)) == ("gzip", plain.content)
    assert len(packed.content) < len(plain.content)


def test_short_replies_are_sent_as_they_are(db):
    reply = Client().get("/health/live", headers={"Accept-Encoding": "gzip"})

    assert ("Content-Encoding" in reply, reply.json()) == (False, {"status": "alive"})


@pytest.mark.parametrize("accepted", ["", "br", "identity"])
def test_nothing_is_compressed_that_is_not_to_be(accepted):
    assert "Content-Encoding" not in Client().get("/errors", headers={"Accept-Encoding": accepted})
