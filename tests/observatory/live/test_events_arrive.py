from datetime import UTC, datetime

import pytest
from django.test import Client

from analytics.events import publish
from observatory.accounts.models import Project
from tests.analytics.api.payloads import now_ns, span
from tests.observatory.live.conftest import bearer
from tests.observatory.live.following import ask, follow, talk


def test_a_stored_span_is_told_with_all_its_members(live, tenant):
    start = now_ns()
    with follow(live, tenant.key()) as stream:
        tenant.send(span(traceId="ab" * 16, spanId="cd" * 8, start_ns=start, attributes={"user.id": "jane"}))
        frame = stream.frame()
        with talk(live, tenant.key()) as other:
            assert other.subscribe(last_event_id="1-1")["type"] == "subscribed"
            assert other.next() == {"type": "gap", "last_event_id": "1-1"}
            told = other.next()

    assert (frame["event"], told["event_type"], told["id"]) == ("trace_created", "trace_created", frame["id"])
    assert told["data"] == {
        "trace_id": "ab" * 16,
        "span_id": "cd" * 8,
        "org_id": str(tenant.organisation.public_id),
        "project_id": str(tenant.projects[0].public_id),
        "provider": "openai",
        "model": "gpt-4o",
        "environment": "production",
        "user_id": "jane",
        "cost_usd": 0.0075,
        "duration_ms": 250,
        "status_code": "UNSET",
        "timestamp": told_as(datetime.fromtimestamp(start // 1_000_000_000, tz=UTC), start // 1000 % 1_000_000),
    }


def told_as(second, microseconds):
    """Return an instant as the interface writes it."""
    fraction = f".{microseconds:06d}" if microseconds else ""
    return f"{second:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def test_a_span_that_was_stored_before_is_not_told_again(live, tenant):
    twice = span()
    with follow(live, tenant.key()) as stream:
        tenant.send(twice)
        tenant.send(twice)
        tenant.send(span(spanId="ef" * 8))

        assert [stream.next()[1]["span_id"] for _ in range(2)] == [twice["spanId"], "ef" * 8]


def test_events_never_leave_their_organisation(live, world):
    ours, theirs = world(), world()
    with follow(live, ours.key()) as stream:
        theirs.send(span(spanId="11" * 8))
        ours.send(span(spanId="22" * 8))

        assert stream.next()[1]["span_id"] == "22" * 8


def test_events_never_leave_the_projects_of_the_listener(live, tenant):
    with follow(live, tenant.key(projects=tenant.projects[:1])) as stream:
        tenant.send(span(spanId="11" * 8), project=1)
        tenant.send(span(spanId="22" * 8))

        assert stream.next()[1]["span_id"] == "22" * 8


def test_what_is_of_more_than_a_listener_reaches_is_not_told(live, tenant):
    organisation, numbers = tenant.organisation, [one.pk for one in tenant.projects]
    part = tenant.key("traces:read", "costs:read", projects=tenant.projects[:1])
    with talk(live, part) as one, talk(live, tenant.key()) as other:
        one.subscribe("trace_created", "cost_threshold")
        other.subscribe("trace_created", "cost_threshold")
        for of in ([], numbers):
            publish(event_type="cost_threshold", organisation_id=organisation.pk, project_ids=of, data={})
        assert [other.next()["event_type"] for _ in range(2)] == ["cost_threshold"] * 2
        Project.objects.create(organisation=organisation, slug="later", name="Later")
        publish(event_type="cost_threshold", organisation_id=organisation.pk, project_ids=[], data={})
        tenant.send(span())

        assert [stream.next()["event_type"] for stream in (one, other)] == ["trace_created"] * 2


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "gpt-4o"},
        {"provider": "openai", "environment": "production"},
        {"user_id": "jane"},
        {"min_cost": "0.0075"},
        {"min_duration_ms": "250"},
        {"project_id": "main"},
    ],
)
def test_filters_let_pass_what_they_name(live, tenant, asked):
    other = span(duration_ms=249, attributes={"gen_ai.request.model": "gpt-4o-mini", "gen_ai.provider.name": "azure"})
    wanted = span(attributes={"user.id": "jane"})
    with follow(live, tenant.key(), **asked) as stream, talk(live, tenant.key()) as other_stream:
        amounts = {name: float(value) if name.startswith("min") else value for name, value in asked.items()}
        other_stream.subscribe(filters=amounts)
        tenant.send(other, project=1)
        tenant.send(wanted)

        assert stream.next()[1]["span_id"] == wanted["spanId"]
        assert other_stream.next()["data"]["span_id"] == wanted["spanId"]


def test_what_others_publish_goes_to_those_who_may_hear_of_it(live, tenant):
    facts = {"budget_id": "b", "threshold_value": 80, "current_value": 81.5, "period": "monthly", "severity": "warning"}
    with talk(live, tenant.key("costs:read", "alerts:read")) as stream:
        first = stream.subscribe("trace_created", "cost_threshold")
        stream_said = [first, stream.next()]
        publish(event_type="cost_threshold", organisation_id=tenant.organisation.pk, project_ids=[], data=facts)
        told = stream.next()

    assert [(one["type"], one.get("code"), one.get("events")) for one in stream_said] == [
        ("error", 1100, None),
        ("subscribed", None, ["cost_threshold"]),
    ]
    assert told["data"] == {"org_id": str(tenant.organisation.public_id), **facts}


def test_two_subscriptions_to_one_event_hear_of_it_once(live, tenant):
    with talk(live, tenant.key()) as stream:
        stream.subscribe()
        stream.subscribe(filters={"model": "gpt-4o"})
        tenant.send(span(spanId="11" * 8), span(spanId="22" * 8))

        assert [stream.next()["data"]["span_id"] for _ in range(2)] == ["11" * 8, "22" * 8]


def test_a_ticket_opens_one_stream_and_no_second(live, tenant):
    ticket = (
        Client(headers=bearer(tenant.token())).post("/api/v1/events/ticket", {}, "application/json").json()["ticket"]
    )
    with follow(live, None, ticket=ticket) as stream:
        tenant.send(span(spanId="11" * 8))
        assert stream.next()[1]["span_id"] == "11" * 8

    assert ask(live, None, events="trace_created", ticket=ticket).json()["error"]["code"] == 1001
