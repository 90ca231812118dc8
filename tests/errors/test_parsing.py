import io

import orjson
import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from rest_framework.parsers import FormParser

from errors.exceptions import ApiError
from errors.parsing import BodyRequest, JSONParser, read_body
from errors.rendering import JSONNegotiation

LIMIT = 2048


@pytest.fixture(autouse=True)
def small_bodies(settings):
    settings.MAX_BODY_BYTES = LIMIT


class BrokenInput:
    def read(self, _size):
        raise OSError("the client went away")


def announced(body, content_type="application/json", **extra):
    return RequestFactory().generic("POST", "/", body, content_type=content_type, **extra)


def chunked(body, content_type="application/json"):
    environ = RequestFactory()._base_environ(REQUEST_METHOD="POST", PATH_INFO="/", CONTENT_TYPE=content_type)
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    return WSGIRequest(environ)


def data_of(request):
    return BodyRequest(request, parsers=[JSONParser(), FormParser()], negotiator=JSONNegotiation()).data


def refusal(call, *args, **kwargs):
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    return caught.value.spec.status, caught.value.message, caught.value.details


@pytest.mark.parametrize("sent", [announced, chunked])
def test_a_json_object_is_the_data(sent):
    assert data_of(sent(b'{"a": [1, "\xc3\xbc"]}')) == {"a": [1, "ü"]}


def test_no_body_is_an_empty_object():
    assert data_of(announced(b"")) == {}


def test_a_form_is_still_a_form():
    assert data_of(announced(b"a=1&b=2", content_type="application/x-www-form-urlencoded")).dict() == {
        "a": "1",
        "b": "2",
    }


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b'{"a": 1', "At line 1, column 8"),
        (b'{\n"a": NaN}', "At line 2, column 6"),
        (b'{"a": 1e400}', "At line 1, column 7"),
        (b"\xef\xbb\xbf{}", "At line 1, column 1"),
        (b'{"a": "\xff"}', "At line 1, column 1"),
        (b"[" * 2000, "At line 1, column 1026"),
    ],
)
def test_a_body_that_is_not_json_is_refused_with_the_place(body, details):
    assert refusal(data_of, announced(body)) == (
        400,
        "The body is not valid JSON: send one JSON object in UTF-8",
        details,
    )


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null"])
def test_json_that_is_no_object_is_refused(body):
    assert refusal(data_of, announced(body)) == (400, "The body is JSON but not an object: send one JSON object", "")


@pytest.mark.parametrize("sent", [announced, chunked])
def test_a_body_of_the_limit_is_read(sent):
    body = orjson.dumps({"a": "x" * (LIMIT - 8)})

    assert (len(body), len(data_of(sent(body))["a"])) == (LIMIT, LIMIT - 8)


@pytest.mark.parametrize("sent", [announced, chunked])
def test_a_body_beyond_the_limit_is_refused(sent):
    body = orjson.dumps({"a": "x" * (LIMIT - 7)})

    assert refusal(data_of, sent(body)) == (413, "The body is too large: send at most 2048 bytes at a time", "")


def test_an_announced_length_beyond_the_limit_is_refused_before_anything_is_read():
    request = announced(b"{}", CONTENT_LENGTH=str(LIMIT + 1))
    request.read = None

    assert refusal(read_body, request, limit=LIMIT)[0] == 413


@pytest.mark.parametrize("length", ["", "many", "-1"])
def test_a_length_that_is_no_number_is_no_length(length):
    assert read_body(announced(b"", CONTENT_LENGTH=length), limit=LIMIT) == b""


def test_a_body_that_breaks_off_is_refused():
    request = chunked(b"")
    request.environ["wsgi.input"] = BrokenInput()

    assert refusal(read_body, request, limit=LIMIT) == (
        400,
        "The body ended before all of it had arrived: send it again",
        "",
    )


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application", "multipart/form-data"])
def test_other_content_types_are_refused(content_type):
    assert refusal(data_of, announced(b"{}", content_type=content_type)) == (
        415,
        "This content type is not supported: send the body as application/json or application/x-www-form-urlencoded",
        "",
    )


@pytest.mark.parametrize("coding", ["gzip", "br", "identity"])
def test_any_content_encoding_is_refused(coding):
    assert refusal(data_of, announced(b"{}", HTTP_CONTENT_ENCODING=coding)) == (
        415,
        "This content encoding is not supported: send the body uncompressed",
        "",
    )
