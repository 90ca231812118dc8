from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.analytics.api.asking import SEARCH
from tests.analytics.api.payloads import request


@pytest.fixture
def send(api: Client) -> Callable[..., Any]:
    """Return a function that posts spans as OTLP/JSON and expects full success."""

    def post(*spans: dict[str, Any], client: Client = api, **resource: Any) -> None:
        reply = client.post("/v1/traces", request(*spans, resource=resource), content_type="application/json")
        assert (reply.status_code, reply.json()) == (200, {})

    return post


@pytest.fixture
def search(api: Client) -> Callable[..., Any]:
    """Return a function that posts a filter, and other members, to the search and returns the reply."""

    def post(filter_: Any = None, **members: Any) -> Any:
        return api.post(SEARCH, {"filter": filter_} | members, content_type="application/json")

    return post
