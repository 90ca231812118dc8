"""A body is let go of with its reply, whatever the reply is: not only when circles of objects are searched for."""

import gc
import weakref

import pytest

from analytics.api import otlp
from tests.analytics.ingest.bodies import request, span


class Kept(bytearray):
    """A body that tells when it is gone."""


@pytest.fixture
def bodies(monkeypatch):
    """References to the bodies that were read, while nothing searches for circles."""
    read, seen = otlp._body, []

    def noted(*given, **options):
        body = Kept(read(*given, **options))
        seen.append(weakref.ref(body))
        return body

    monkeypatch.setattr(otlp, "_body", noted)
    gc.disable()
    yield seen
    gc.enable()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (request(span()), "application/x-protobuf", 200),
        (request(span(1, b"\x5a\x00" * 60_000), span(2, b"\x5a\x00" * 60_000)), "application/x-protobuf", 413),
        (request(span(1, b"\x4a\x01\xff")), "application/x-protobuf", 400),
        (b"{", "application/json", 400),
    ],
    ids=["stored", "of too many events", "malformed", "malformed JSON"],
)
def test_a_body_is_gone_when_it_is_answered(body, content_type, status, api, bodies):
    reply = api.post("/v1/traces", body, content_type=content_type)

    assert (reply.status_code, [seen() for seen in bodies]) == (status, [None])
