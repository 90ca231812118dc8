import orjson
import pytest
from django.db import transaction
from django_redis import get_redis_connection
from prometheus_client import REGISTRY

from analytics import events
from analytics.events import publish, publish_all


def told(organisation_id=7):
    """Return type, project and data of each event in the organisation's stream."""
    entries = get_redis_connection("default").xrange(f"llmo:events:{organisation_id}")
    return [(entry[b"type"], entry[b"project"], orjson.loads(entry[b"data"])) for _, entry in entries]


def dropped(event_type):
    return REGISTRY.get_sample_value("stream_dropped_total", {"event_type": event_type}) or 0


@pytest.fixture
def away(settings):
    settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.RATE_LIMIT_RETRY_SECONDS = 0


def test_an_event_is_told_with_its_project(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        publish(event_type="export_job_status", organisation_id=7, project_ids=[3], data={"status": "completed"})

    assert told() == [(b"export_job_status", b"3", {"status": "completed"})]


def test_an_event_of_the_whole_organisation_names_no_project(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        publish(event_type="cost_threshold", organisation_id=7, project_ids=[], data={})

    assert told() == [(b"cost_threshold", b"", {})]


def test_each_organisation_has_a_stream_of_its_own(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        publish(event_type="cost_threshold", organisation_id=7, project_ids=[], data={"budget_id": "a"})
        publish(event_type="cost_threshold", organisation_id=8, project_ids=[], data={"budget_id": "b"})

    assert [data["budget_id"] for organisation in (7, 8) for _, _, data in told(organisation)] == ["a", "b"]


def test_nothing_is_told_of_what_was_not_committed(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        publish(event_type="system_alert", organisation_id=7, project_ids=[], data={})
        transaction.set_rollback(True)

    assert told() == []


def test_many_events_keep_their_order(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        data = [{"span_id": str(number)} for number in range(300)]
        publish_all(event_type="trace_created", organisation_id=7, project_ids=[3], data=data)

    assert [one["span_id"] for _, _, one in told()] == [str(number) for number in range(300)]


def test_of_more_than_a_stream_holds_the_last_are_told_and_the_others_counted(
    db, settings, django_capture_on_commit_callbacks
):
    settings.STREAM_QUEUE_EVENTS = 2
    before = dropped("trace_created")

    with django_capture_on_commit_callbacks(execute=True):
        data = [{"span_id": str(number)} for number in range(5)]
        publish_all(event_type="trace_created", organisation_id=7, project_ids=[3], data=data)

    assert ([one["span_id"] for _, _, one in told()], dropped("trace_created") - before) == (["3", "4"], 3)


def test_the_log_is_bounded(db, settings, django_capture_on_commit_callbacks):
    settings.STREAM_REPLAY_EVENTS = 100
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            publish_all(event_type="trace_created", organisation_id=7, project_ids=[3], data=[{}] * 100)

    # Redis cuts off whole nodes of a hundred entries.
    assert 100 <= len(told()) <= 200


def test_a_stream_that_nobody_writes_to_ends(db, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        publish(event_type="system_alert", organisation_id=7, project_ids=[], data={})

    left = get_redis_connection("default").pttl("llmo:events:7")
    assert 0 < left <= events.SILENT_MS


def test_while_redis_is_away_an_event_is_counted_and_nothing_is_raised(db, away, django_capture_on_commit_callbacks):
    before = dropped("cost_threshold")

    with django_capture_on_commit_callbacks(execute=True):
        publish(event_type="cost_threshold", organisation_id=7, project_ids=[], data={})

    assert dropped("cost_threshold") - before == 1


def test_a_server_that_does_not_know_the_script_is_told_it(db, django_capture_on_commit_callbacks):
    get_redis_connection("default").script_flush()

    with django_capture_on_commit_callbacks(execute=True):
        publish(event_type="system_alert", organisation_id=7, project_ids=[], data={"kind": "rollup_lag"})

    assert told() == [(b"system_alert", b"", {"kind": "rollup_lag"})]


def test_a_type_that_nobody_knows_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match="'trace_deleted' is no type of event"):
        publish(event_type="trace_deleted", organisation_id=7, project_ids=[], data={})
