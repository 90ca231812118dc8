"""What the admin counts is what every route counts, of spans and of rollups."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage.rollups import refresh
from tests.analytics.api.payloads import NS, now_ns, span

WEEK = {"start_time": "now-7d", "end_time": "now"}


@pytest.mark.parametrize("refreshed", [False, True])
def test_calls_without_a_price_are_as_many_in_the_admin_as_in_every_reply(helper, api, send, refreshed):
    day_before = now_ns() - 26 * 3600 * NS
    unknown = {"gen_ai.request.model": "nobody-knows-1", "gen_ai.usage.input_tokens": 1234}
    send(span(start_ns=day_before), *(span(start_ns=day_before + each * NS, attributes=unknown) for each in range(3)))
    if refreshed:
        for grain in GRAIN_WIDTHS:
            refresh(grain, before=timezone.now() + timedelta(minutes=1))

    rows = re.findall(r"<tr>(.*?)</tr>", helper.get("/admin/o/acme/unpriced").content.decode(), re.DOTALL)
    (shown,) = [re.findall(r"<td[^>]*>\s*([^<]*?)\s*<", one) for one in rows if "nobody-knows-1" in one]
    assert [one for one in shown if one.replace(",", "").isdigit()] == ["3", "5,202"]

    listed = api.get("/api/v1/costs/unpriced", WEEK).json()["summary"]
    costs = api.get("/api/v1/costs/summary", WEEK).json()["overview"]
    current = api.get("/api/v1/metrics/summary", WEEK).json()["current_period"]
    (attributed,) = [
        one
        for one in api.get("/api/v1/costs/attribution", WEEK | {"dimension": "model"}).json()["items"]
        if one["dimension_value"] == "nobody-knows-1"
    ]
    compared = api.get("/api/v1/models/compare", WEEK | {"models": "gpt-4o,nobody-knows-1"}).json()["models"][1]
    (asked,) = api.post(
        "/api/v1/metrics/query",
        WEEK | {"metrics": [{"metric": "unpriced_count", "alias": "n"}], "interval": "all"},
        content_type="application/json",
    ).json()["data"]
    assert {
        listed["request_count"],
        costs["unpriced_requests"],
        current["unpriced_requests"],
        attributed["unpriced_requests"],
        compared["metrics"]["unpriced_requests"],
        asked["n"],
    } == {3}
    assert listed["total_tokens"] == attributed["total_tokens"] == compared["metrics"]["total_tokens"] == 5202
