"""What a legal hold covers stays, whatever the limits say."""

from datetime import timedelta

import pytest
from django.db import connection

from analytics.storage.rejected import RejectedSpan, forget_rejected, insert_rejected
from analytics.storage.spans import Tenant
from observatory.accounts.models import AuditEntry
from tests.analytics.storage.retaining import (
    NS,
    OLD,
    TODAY,
    YOUNG,
    entries,
    partition_exists,
    refresh_all,
    refused,
    run,
    send,
    stored,
)


def test_a_hold_keeps_its_rows_and_the_rows_of_others_go(projects):
    one, other = projects["acme/main"], projects["globex/main"]
    send(one, 1, OLD)
    send(other, 2, OLD)
    run("set", "spans", "10")
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    done = run("apply")
    assert stored() == stored("llm_contents") == [(one.id, OLD)]
    assert [(left["table"], left["rows"], left["hold"]["reason"]) for left in done["left"]] == [
        ("llm_traces", 1, "case 7"),
        ("llm_contents", 1, "case 7"),
    ]


def test_data_go_once_their_hold_is_removed(projects):
    send(projects["acme/main"], 1, OLD)
    run("set", "spans", "10")
    run("hold", "add", "--organisation", "acme", "--project", "main", "--reason", "case 7")
    run("apply")
    run("hold", "remove", "--organisation", "acme", "--project", "main")
    run("apply")
    assert (stored(), partition_exists("llm_traces", OLD)) == ([], False)


def test_the_function_that_drops_a_day_looks_at_holds_itself(projects):
    send(projects["acme/main"], 1, OLD)
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    with connection.cursor() as cursor:
        cursor.execute("SELECT observatory_drop_partition('llm_traces', %s)", [OLD.date()])
        assert cursor.fetchone()[0] == "held"


@pytest.mark.parametrize("kind", ["spans", "content", "minute", "usage_hour"])
def test_a_limit_of_everybody_that_would_drop_held_data_is_refused(projects, kind):
    start = TODAY - timedelta(days=5)
    send(projects["acme/main"], 1, start)
    refresh_all()
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    before = run("show")["limits"]

    code, said = refused("set", kind, "4")

    assert (code, "case 7" in said, run("show")["limits"]) == (2, True, before)
    assert run("set", kind, "5")["after"] == 5


def test_a_limit_of_everybody_may_change_beside_held_data_that_it_does_not_reach(projects):
    send(projects["acme/main"], 1, YOUNG)
    send(projects["globex/main"], 2, OLD)
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    assert run("set", "spans", "10")["after"] == 10
    assert run("apply")["freed"]["llm_traces"]["partitions"] == 1


def test_what_a_hold_keeps_past_everybodys_limit_already_refuses_no_shorter_one(projects):
    send(projects["acme/main"], 1, OLD)
    run("set", "spans", "15")
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    assert run("set", "spans", "10")["after"] == 10


def test_a_limit_of_the_audit_log_that_would_drop_held_entries_is_refused(projects):
    one = projects["acme/main"]
    AuditEntry.objects.create(
        organisation_id=one.organisation_id,
        ts=OLD,
        resource_type="old",
        success=True,
        duration_ms=0,
        status_code=200,
    )
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    code, said = refused("set", "audit", "10")

    assert (code, "case 7" in said, run("set", "audit", "30")["after"]) == (2, True, 30)


def test_a_hold_keeps_what_is_past_its_projects_own_limit_and_that_is_told(projects):
    send(projects["acme/main"], 1, OLD)
    run("set", "spans", "10", "--project", "acme/main")
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    left = run("apply", "--dry-run")["left"]

    assert {(one["table"], one["rows"]) for one in left} == {("llm_traces", 1), ("llm_contents", 1)}


def test_a_shorter_limit_on_held_data_is_refused(projects):
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    assert "case 7" in refused("set", "spans", "10", "--project", "acme/main")[1]


def test_audit_entries_of_an_organisation_stay_while_any_of_it_is_held(projects):
    for project in projects.values():
        AuditEntry.objects.create(
            organisation_id=project.organisation_id,
            ts=TODAY - timedelta(days=200),
            resource_type="old",
            success=True,
            duration_ms=0,
            status_code=200,
        )
    run("hold", "add", "--organisation", "acme", "--project", "main", "--reason", "case 7")

    freed = run("apply")["freed"]["audit_log"]["rows"]

    held = projects["acme/main"].organisation_id
    assert (freed, [of for of, *_ in entries(resource_type="old")]) == (1, [held])


def test_rejected_spans_of_a_held_project_stay(projects):
    for project in projects.values():
        owner = Tenant(organisation_id=project.organisation_id, project_id=project.id)
        entry = RejectedSpan(received_at=int(OLD.timestamp()) * NS, reason="too_old", message="", request_id="")
        insert_rejected(owner, [entry])
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    gone = forget_rejected(before=TODAY, most=100)

    assert (gone, {project for project, _ in stored("rejected_spans", "reason")}) == (1, {projects["acme/main"].id})


def test_holds_are_in_the_audit_log(projects):
    run("hold", "add", "--organisation", "acme", "--reason", "case 2026-17", "--dry-run")
    run("hold", "add", "--organisation", "acme", "--reason", "case 2026-17")
    run("hold", "remove", "--organisation", "acme")
    told = [(action, what, of) for _, action, what, of, _, _ in entries(resource_type="legal_hold")]
    assert told == [("create", "legal_hold", "acme"), ("delete", "legal_hold", "acme")]
