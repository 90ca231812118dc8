"""OTLP requests as tests send them."""

import itertools
import time
from typing import Any

_ids = itertools.count(1)
NS = 1_000_000_000


def now_ns() -> int:
    return time.time_ns() // NS * NS


def span(**given: Any) -> dict[str, Any]:
    """Return a valid span of OTLP/JSON: one call of gpt-4o with 1,000 and 500 tokens, a minute ago, 250 ms long."""
    number = next(_ids)
    start = given.pop("start_ns", now_ns() - 60 * NS)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 500,
    } | given.pop("attributes", {})
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": "chat gpt-4o",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + given.pop("duration_ms", 250) * 1_000_000),
        "attributes": [
            {"key": key, "value": any_value(value)} for key, value in attributes.items() if value is not None
        ],
        "status": {},
    } | given


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"stringValue": value}


def request(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> dict[str, Any]:
    attributes = {"service.name": "shop", "deployment.environment.name": "production"} | (resource or {})
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [{"key": key, "value": any_value(value)} for key, value in attributes.items()]
                },
                "scopeSpans": [{"scope": {"name": "tests"}, "spans": list(spans)}],
            }
        ]
    }
