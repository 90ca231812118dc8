"""Schedules: days that become files of a folder, one after the other, whatever gets in their way."""

import errno
from datetime import UTC, date, datetime, timedelta

import pyarrow.dataset
import pytest
from django.conf import settings as configured
from django.db import OperationalError
from jsonschema import Draft202012Validator

from analytics.exports import schedules, service
from analytics.exports.running import export_run
from analytics.exports.service import exports_expire
from analytics.exports.writing import WorkFile
from analytics.models import ExportJob, ExportSchedule
from observatory.accounts.models import AuditEntry
from observatory.database import tenancy
from tests.analytics.api.payloads import NS, span
from tests.analytics.exports.conftest import DAY, PATH
from tests.documented import DOCUMENT
from tests.observatory.accounts.credentials import bearer

FIRST = DAY.date()
HOUR = timedelta(hours=1)
SOON = DAY + timedelta(days=1, hours=1)  # when the first day is due
BODY = {"name": "Calls", "prefix": "warehouse/calls", "every": "daily", "format": "parquet", "next_day": str(FIRST)}


@pytest.fixture
def schedule(api):
    """Return a function that creates a schedule from the day of the tests on, and returns its reply."""

    def post(on=api, **body):
        return on.post(f"{PATH}/schedules", BODY | body, content_type="application/json")

    return post


@pytest.fixture
def turn(api):
    """Return a function that is a turn of the worker at a time: what is due is begun, and written."""

    def run(now):
        begun = schedules.schedules_run(now=now)
        for job in ExportJob.objects.filter(status="pending"):
            export_run(job.id)
        return begun

    return run


def shown(api, reply):
    return api.get(f"{PATH}/schedules/{reply.json()['schedule_id']}").json()


def change(api, reply, **body):
    return api.patch(f"{PATH}/schedules/{reply.json()['schedule_id']}", body, content_type="application/json")


def folder(tenant):
    return configured.EXPORT_DIR / "files" / "scheduled" / str(tenant.organisation.public_id) / "warehouse" / "calls"


def days_in(tenant):
    return sorted(path.parent.name for path in folder(tenant).glob("*/traces.parquet"))


def on_day(number, count=1):
    begin = int((DAY + timedelta(days=number, hours=6)).timestamp()) * NS
    return [span(start_ns=begin + place * NS) for place in range(count)]


def test_a_schedule_is_shown_as_the_document_says(api, schedule, tenant):
    reply = schedule(compression="gzip", fields=["trace_id", "model"], model="gpt-4o", keep_days=30)
    whole = DOCUMENT
    ref = {"components": whole["components"], "$ref": "#/components/schemas/ExportSchedule"}

    assert reply.status_code == 201, reply.content
    assert reply["Location"] == f"http://testserver{PATH}/schedules/{reply.json()['schedule_id']}"
    assert [one.message for one in Draft202012Validator(ref).iter_errors(reply.json())] == []
    assert shown(api, reply) == reply.json()
    assert reply.json() | {"schedule_id": 0, "created_at": 0} == {
        "schedule_id": 0,
        "org_id": str(tenant.organisation.public_id),
        "name": "Calls",
        "prefix": "warehouse/calls",
        "folder": f"scheduled/{tenant.organisation.public_id}/warehouse/calls",
        "every": "daily",
        "enabled": True,
        "format": "parquet",
        "compression": "gzip",
        "fields": ["trace_id", "model"],
        "filters": {"model": "gpt-4o", "scope": "all"},
        "next_day": str(FIRST),
        "next_run_at": SOON.isoformat().replace("+00:00", "Z"),
        "keep_days": 30,
        "created_at": 0,
        "job_id": None,
        "last_job_id": None,
        "problem": None,
    }


def test_without_a_first_day_it_begins_today(schedule):
    assert schedule(next_day=None).json()["next_day"] == datetime.now(UTC).date().isoformat()


def test_each_day_becomes_a_file_that_pyarrow_reads_as_one_table(api, send, schedule, tenant, turn):
    send(*on_day(0, 3), *on_day(1, 2))
    reply = schedule()
    begun = [turn(SOON - timedelta(seconds=1)), turn(SOON), turn(SOON), turn(SOON + timedelta(days=1))]
    table = pyarrow.dataset.dataset(folder(tenant), partitioning="hive").to_table(columns=["day", "model"])
    days = table.group_by("day").aggregate([("model", "count")]).sort_by("day").to_pydict()

    assert begun == [0, 1, 0, 1]
    assert days == {"day": [str(FIRST), str(FIRST + timedelta(days=1))], "model_count": [3, 2]}
    turn(SOON + timedelta(days=1))
    assert shown(api, reply)["next_day"] == str(FIRST + timedelta(days=2))


def test_a_day_without_spans_is_a_file_without_rows(schedule, tenant, turn):
    schedule()
    turn(SOON)

    assert pyarrow.dataset.dataset(folder(tenant), partitioning="hive").count_rows() == 0
    assert days_in(tenant) == [f"day={FIRST}"]


def test_days_that_were_missed_are_made_up_for_one_turn_after_the_other(schedule, tenant, turn):
    schedule()
    later = SOON + timedelta(days=2)

    assert [turn(later) for _ in range(5)] == [1, 1, 1, 0, 0]
    assert days_in(tenant) == [f"day={FIRST + timedelta(days=ahead)}" for ahead in range(3)]


@pytest.mark.parametrize("first", ["2026-03-02", "2026-03-05", "2026-03-08"])  # Monday, Thursday, Sunday
def test_the_days_of_a_week_are_due_together_after_its_sunday(first):
    weekly = ExportSchedule(every="weekly", next_day=date.fromisoformat(first))

    assert schedules.due_at(weekly) == datetime(2026, 3, 9, 1, tzinfo=UTC)


def test_an_export_that_failed_is_tried_again_after_an_hour(api, schedule, tenant, turn, monkeypatch):
    def full(_file, _octets):
        raise OSError(errno.ENOSPC, "no room")

    reply = schedule()
    with monkeypatch.context() as broken:
        broken.setattr(WorkFile, "write", full)
        turn(SOON)
    turn(SOON)
    told = shown(api, reply)

    assert (told["next_day"], told["problem"]) == (
        str(FIRST), "The disk of exported files is full: ask the operator for room, then create the export again.",
    )  # fmt: skip
    assert told["next_run_at"] == (SOON + HOUR).isoformat().replace("+00:00", "Z")
    assert [turn(SOON + HOUR - timedelta(seconds=1)), turn(SOON + HOUR), turn(SOON + HOUR)] == [0, 1, 0]
    assert (days_in(tenant), shown(api, reply)["problem"]) == ([f"day={FIRST}"], None)


def test_a_day_with_more_spans_than_an_export_may_have_says_so(settings, api, send, schedule, turn):
    settings.EXPORT_MAX_ROWS = 2
    send(*on_day(0, 3))
    reply = schedule()

    assert turn(SOON) == 0
    assert "2" in shown(api, reply)["problem"]


def test_set_back_it_makes_days_again_in_the_place_of_their_files(api, send, schedule, tenant, turn):
    send(*on_day(0, 2))
    reply = schedule()
    turn(SOON), turn(SOON)
    first = ExportJob.objects.get()
    send(*on_day(0, 3))
    assert change(api, reply, next_day=str(FIRST)).status_code == 200
    turn(SOON)

    assert pyarrow.dataset.dataset(folder(tenant), partitioning="hive").count_rows() == 5
    first.refresh_from_db()
    assert first.status == "expired"
    assert exports_expire(now=datetime.now(UTC)) == 0  # the file is the second one's
    assert days_in(tenant) == [f"day={FIRST}"]


def test_an_export_that_was_overtaken_leaves_the_later_one_its_file(api, send, schedule, tenant, turn):
    send(*on_day(0, 2))
    reply = schedule()
    schedules.schedules_run(now=SOON)
    (old,) = ExportJob.objects.all()
    change(api, reply, next_day=str(FIRST))
    schedules.schedules_run(now=SOON + HOUR)
    newer = ExportJob.objects.exclude(id=old.id).get()
    export_run(newer.id)
    export_run(old.id)

    states = {job.id: job.status for job in ExportJob.objects.all()}
    assert states == {newer.id: "completed", old.id: "failed"}
    assert days_in(tenant) == [f"day={FIRST}"]


def test_a_change_of_something_else_takes_no_export_from_the_worker(api, schedule, turn, monkeypatch):
    reply = schedule()
    read = schedules.schedule_get

    def begun_meanwhile(*given):
        found = read(*given)
        schedules.schedules_run(now=SOON)
        return found

    with monkeypatch.context() as late:
        late.setattr(schedules, "schedule_get", begun_meanwhile)
        assert change(api, reply, name="Other").status_code == 200

    assert ExportSchedule.objects.get().job_id == ExportJob.objects.get().id


def test_a_worker_that_dies_while_it_begins_a_day_leaves_no_export_that_nobody_knows_of(schedule, turn, monkeypatch):
    def died(*_given):
        raise KeyboardInterrupt

    schedule()
    with monkeypatch.context() as killed:
        killed.setattr(schedules, "_note", died)
        with pytest.raises(KeyboardInterrupt):
            schedules.schedules_run(now=SOON)

    assert ExportJob.objects.count() == 0
    assert (turn(SOON), ExportSchedule.objects.get().job_id) == (1, ExportJob.objects.get().id)


def test_of_a_schedule_that_is_set_to_another_day_while_one_is_begun_none_is(api, schedule, monkeypatch):
    reply, create = schedule(), schedules.export_create
    another = str(FIRST + timedelta(days=5))

    def slow(asked, **given):
        assert change(api, reply, next_day=another).status_code == 200
        return create(asked, **given)

    monkeypatch.setattr(schedules, "export_create", slow)

    assert (schedules.schedules_run(now=SOON), ExportJob.objects.count()) == (0, 0)
    assert shown(api, reply)["next_day"] == another


def test_a_file_is_not_deleted_while_a_later_export_puts_its_own_there(schedule, tenant, turn, owner):
    schedule(keep_days=5)
    turn(SOON)
    over = datetime.now(UTC) + timedelta(days=6)
    lock = [f"llm-observatory export file {ExportJob.objects.get().file_name}"]
    owner.execute("SELECT pg_advisory_lock(hashtext(%s))", lock)
    held = exports_expire(now=over)
    owner.execute("SELECT pg_advisory_unlock(hashtext(%s))", lock)

    assert (held, days_in(tenant)) == (0, [f"day={FIRST}"])
    assert (exports_expire(now=over), days_in(tenant)) == (1, [])


def test_a_file_that_became_a_later_export_s_meanwhile_is_not_deleted(api, schedule, tenant, turn, monkeypatch):
    reply, exclusively = schedule(keep_days=5), service.exclusively
    turn(SOON), turn(SOON)

    def after_another(name):
        if change(api, reply, next_day=str(FIRST)).status_code == 200:
            turn(SOON)
        return exclusively(name)

    monkeypatch.setattr(service, "exclusively", after_another)

    assert exports_expire(now=datetime.now(UTC) + timedelta(days=6)) == 0
    assert sorted(job.status for job in ExportJob.objects.all()) == ["completed", "expired"]
    assert days_in(tenant) == [f"day={FIRST}"]


def test_a_schedule_that_the_database_fails_keeps_none_behind_it_waiting(schedule, monkeypatch):
    schedule(), schedule(name="Next", prefix="next")
    create, asked = schedules.export_create, []

    def slow(given, **rest):
        asked.append(given)
        if len(asked) == 1:
            raise OperationalError("canceling statement due to statement timeout")
        return create(given, **rest)

    monkeypatch.setattr(schedules, "export_create", slow)

    assert schedules.schedules_run(now=SOON) == 1
    assert sorted(bool(one.problem) for one in ExportSchedule.objects.all()) == [False, True]


@pytest.mark.parametrize(("keep", "left"), [(None, True), (5, False)])
def test_a_file_is_kept_as_long_as_was_said(schedule, tenant, turn, keep, left):
    schedule(keep_days=keep)
    turn(SOON)
    exports_expire(now=datetime.now(UTC) + timedelta(days=6))

    assert (days_in(tenant) != []) is left


def test_it_rests_while_it_is_not_enabled(api, schedule, turn):
    reply = schedule()
    rests = change(api, reply, enabled=False)

    assert (rests.json()["next_run_at"], turn(SOON)) == (None, 0)
    change(api, reply, enabled=True)
    assert turn(SOON) == 1


def test_schedules_take_no_export_from_people(settings, schedule, api, turn):
    settings.EXPORT_MAX_OPEN_JOBS = 1
    schedule()
    schedules.schedules_run(now=SOON)
    body = {"format": "jsonl", "start_time": "now-1h"}

    assert api.post(f"{PATH}/traces", body, content_type="application/json").status_code == 202


def test_a_deleted_one_leaves_its_files_and_is_gone(api, schedule, tenant, turn):
    reply = schedule()
    turn(SOON)
    path = f"{PATH}/schedules/{reply.json()['schedule_id']}"

    assert [api.delete(path).status_code, api.get(path).status_code, api.delete(path).status_code] == [204, 404, 404]
    assert days_in(tenant) == [f"day={FIRST}"]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"prefix": None}, (400, 1201, "prefix")),
        ({"prefix": "../other"}, (400, 1203, "prefix")),
        ({"prefix": "/etc"}, (400, 1203, "prefix")),
        ({"prefix": "a//b"}, (400, 1203, "prefix")),
        ({"prefix": "a" * 101}, (400, 1205, "prefix")),
        ({"every": "hourly"}, (400, 1202, "every")),
        ({"next_day": "tomorrow"}, (400, 1203, "next_day")),
        ({"next_day": "2026-02-30"}, (400, 1203, "next_day")),
        ({"keep_days": 0}, (400, 1200, "keep_days")),
        ({"start_time": "now-1d"}, (400, 1202, "start_time")),
        ({"fields": ["rain"]}, (400, 1202, "fields")),
        ({"project_id": "elsewhere"}, (403, 1101, "project_id")),
    ],
)
def test_what_cannot_be_is_refused(schedule, body, answer):
    error = (reply := schedule(**body)).json()["error"]

    assert (reply.status_code, error["code"], error["field"]) == answer
    assert not ExportSchedule.objects.exists()


def test_a_change_takes_no_null_but_for_the_time_that_files_are_kept(api, schedule):
    reply = schedule(keep_days=5)

    assert change(api, reply, keep_days=None).json()["keep_days"] is None
    assert change(api, reply, name=None).json()["error"]["code"] == 1203
    assert change(api, reply, prefix="other").json()["error"]["code"] == 1202


def test_a_folder_belongs_to_one_schedule_of_an_organisation(make_tenant, schedule):
    other = make_tenant("other")

    assert [schedule().status_code, schedule().json()["error"]["code"]] == [201, 1400]
    assert schedule(on=bearer(other.key)).status_code == 201


@pytest.mark.parametrize(
    ("prefix", "status"), [("warehouse", 409), ("warehouse/calls/eu", 409), ("warehouse/callers", 201)]
)
def test_no_folder_is_inside_that_of_another_schedule(schedule, prefix, status):
    schedule()

    assert schedule(prefix=prefix).status_code == status


def test_an_organisation_has_only_so_many(schedule, monkeypatch):
    monkeypatch.setattr(schedules, "MOST", 1)
    schedule()

    assert schedule(prefix="b").json()["error"]["code"] == 1501


def test_it_is_out_of_sight_for_others_and_for_who_lacks_one_of_its_projects(api, make_tenant, schedule):
    two = make_tenant("two", projects=("main", "side"))
    own = bearer(two.key)
    reply = schedule(on=own)
    path = f"{PATH}/schedules/{reply.json()['schedule_id']}"
    answers = [one.get(path).status_code for one in (own, api)]

    assert answers == [200, 404]
    assert api.get(f"{PATH}/schedules").json()["schedules"] == []
    assert api.patch(path, {"enabled": False}, content_type="application/json").status_code == 404
    with tenancy.only(str(two.organisation.pk + 1)):
        assert not ExportSchedule.objects.exists()


def test_who_may_only_read_changes_nothing(schedule, make_tenant):
    three = make_tenant("three", permissions=["exports:read"])

    assert schedule(on=bearer(three.key)).json()["error"]["code"] == 1100


def test_creating_changing_and_deleting_are_audited(api, schedule):
    reply = schedule()
    change(api, reply, enabled=False)
    api.delete(f"{PATH}/schedules/{reply.json()['schedule_id']}")

    found = AuditEntry.objects.filter(resource_type="export_schedule").order_by("ts")
    assert [(one.action, one.resource_id) for one in found] == [
        (action, reply.json()["schedule_id"]) for action in ("create", "update", "delete")
    ]
