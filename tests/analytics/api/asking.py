"""How tests ask for spans, and what they read of the replies."""

from datetime import UTC, datetime

from tests.analytics.api.payloads import NS, span

LIST, SEARCH, STATS = "/api/v1/traces", "/api/v1/traces/search", "/api/v1/traces/stats"
TRACE = "ab" * 16


def instant(ns):
    return datetime.fromtimestamp(ns // NS, tz=UTC).isoformat().replace("+00:00", "Z")


def names(reply):
    assert reply.status_code == 200, reply.content
    return [one["span_name"] for one in reply.json()["data"]]


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


def leaf(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def talk(name, asked, answered="", **given):
    """A span with a question and an answer."""
    texts = {"input.value": asked, "output.value": answered or None}
    return span(name=name, attributes=texts | given.pop("attributes", {}), **given)
