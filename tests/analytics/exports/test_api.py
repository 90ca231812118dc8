"""The routes of exports: what they take, what they answer, what they refuse."""

import errno
import hashlib
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator

from analytics.exports import running
from analytics.exports.files import FolderStore, StoreError, store, work_path
from analytics.exports.running import MOST_ATTEMPTS, export_run
from analytics.exports.service import exports_expire, exports_revive
from analytics.exports.writing import WorkFile
from analytics.models import ExportJob
from observatory.accounts.models import AuditEntry
from tests.analytics.exports.conftest import PATH, RANGE, download, error, spans
from tests.documented import DOCUMENT
from tests.observatory.accounts.credentials import client


def fits(component, body):
    whole = DOCUMENT
    schema = {"components": whole["components"], "$ref": f"#/components/schemas/{component}"}
    return [one.message for one in Draft202012Validator(schema).iter_errors(body)]


def test_an_export_begins_as_a_job_that_waits(api, create, tenant):
    reply = create()
    job_id = reply.json()["job_id"]
    job = api.get(f"{PATH}/jobs/{job_id}").json()

    assert (reply.status_code, reply["Location"]) == (202, f"http://testserver{PATH}/jobs/{job_id}")
    assert (fits("ExportAccepted", reply.json()), fits("ExportJob", job)) == ([], [])
    assert job | {"created_at": 0, "job_id": 0} == {
        "job_id": 0,
        "org_id": str(tenant.organisation.public_id),
        "status": "pending",
        "format": "jsonl",
        "compression": "none",
        "created_at": 0,
        "started_at": None,
        "completed_at": None,
        "expires_at": None,
        "trace_count": None,
        "file_size_bytes": None,
        "download_url": None,
        "error_message": None,
        "progress_percent": 0,
        "metadata": {
            "can_cancel": True,
            "can_download": False,
            "is_expired": False,
            "seconds_until_expiration": None,
        },
        "manifest": None,
    }


def test_a_completed_one_has_a_manifest_that_tells_of_its_file(send, exported):
    send(*spans(5))
    job, file = exported(format="csv", fields=["trace_id"], model="gpt-4o")

    assert fits("ExportJob", job) == []
    assert (job["progress_percent"], job["trace_count"], job["file_size_bytes"]) == (100, 5, len(file))
    assert job["manifest"] | {"first_ts": 0, "last_ts": 0, "start_time": 0, "end_time": 0} == {
        "rows": 5,
        "bytes": len(file),
        "sha256": hashlib.sha256(file).hexdigest(),
        "start_time": 0,
        "end_time": 0,
        "first_ts": 0,
        "last_ts": 0,
        "fields": ["trace_id"],
        "filters": {"model": "gpt-4o", "scope": "all"},
        "format": "csv",
        "compression": "none",
        "truncated_by_limit": False,
        "rows_missing": 0,
        "rows_repriced": 0,
    }


def test_what_is_stored_later_is_not_exported(api, send, create):
    send(*spans(3))
    job_id = create().json()["job_id"]
    send(*spans(4))
    export_run(ExportJob.objects.get(id=job_id).id)

    assert api.get(f"{PATH}/jobs/{job_id}").json()["manifest"]["rows"] == 3


def test_filters_and_equalities_narrow_it(send, exported):
    send(*spans(3), *spans(2, **{"gen_ai.request.model": "gpt-4o-mini", "user.id": "jane"}))
    leaf = {"field": "user_id", "operator": "exists", "value": False}

    assert [
        exported(**body)[0]["trace_count"]
        for body in (
            {"model": "gpt-4o-mini"},
            {"user_id": "jane"},
            {"filter": leaf},
            {"filter": leaf, "user_id": "jane"},
        )
    ] == [2, 2, 3, 0]


@pytest.mark.parametrize(("limit", "rows", "more"), [(2, 2, True), (5, 5, False), (9, 5, False)])
def test_a_limit_takes_the_earliest_and_says_whether_there_are_more(send, exported, limit, rows, more):
    send(*spans(5))
    manifest = exported(limit=limit)[0]["manifest"]

    assert (manifest["rows"], manifest["truncated_by_limit"]) == (rows, more)


def test_a_path_into_a_document_is_a_column(send, exported):
    send(
        *spans(
            1, **{"gen_ai.input.messages": '[{"role": "user", "content": "hello"}, {"role": "tool", "content": "17"}]'}
        )
    )
    file = exported(format="csv", fields=["scope.name", "input_messages.role"])[1].decode()

    assert file == 'scope.name,input_messages.role\r\ntests,"[""user"", ""tool""]"\r\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_no_cell_of_a_csv_file_is_a_formula(send, exported, text):
    send(*spans(1, **{"user.id": text, "note": text}))
    file = exported(format="csv", fields=["user_id", "attributes.note"])[1].decode()
    cell = f"'{text}"
    shown = f'"{cell}"' if "\r" in text else cell

    assert file == f"user_id,attributes.note\r\n{shown},{shown}\r\n"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"format": None}, (400, 1201, "format")),
        ({"format": "xml"}, (400, 1202, "format")),
        ({"compression": "zip"}, (400, 1202, "compression")),
        ({"colour": 1}, (400, 1202, "colour")),
        ({"fields": ["colour"]}, (400, 1202, "fields")),
        ({"fields": "ts"}, (400, 1203, "fields")),
        ({"limit": 0}, (400, 1200, "limit")),
        ({"limit": 10_000_001}, (400, 1200, "limit")),
        ({"limit": "5"}, (400, 1203, "limit")),
        ({"start_time": "2026-01-02", "end_time": "2026-01-01"}, (400, 1204, "start_time")),
        ({"start_time": "2024-01-01", "end_time": "2026-01-01"}, (400, 1204, "start_time")),
        ({"start_time": "yesterday"}, (400, 1203, "start_time")),
        ({"scope": "some"}, (400, 1202, "scope")),
        ({"project_id": "nobodys"}, (403, 1101, "project_id")),
        ({"status_code": "BAD"}, (400, 1202, "status_code")),
        ({"filter": {"field": "colour", "operator": "eq", "value": 1}}, (400, 1213, "filter.field")),
        ({"filter": {"field": "model", "operator": "regex", "value": "("}}, (400, 1213, "filter.value")),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_created(create, body, answer):
    assert (error(create(**body)), ExportJob.objects.count()) == (answer, 0)


def test_more_spans_than_an_export_may_have_are_refused_unless_it_is_limited(settings, send, create):
    settings.EXPORT_MAX_ROWS = 2
    send(*spans(3))

    assert error(create()) == (400, 1205, "")
    assert create(limit=2).status_code == 202
    assert create(model="other").status_code == 202


def test_an_organisation_has_only_so_many_unfinished_exports(settings, create):
    settings.EXPORT_MAX_OPEN_JOBS = 1
    first, second = create(), create()

    assert (first.status_code, error(second), second["Retry-After"]) == (202, (429, 1501, ""), "5")


def test_a_repeated_request_creates_one_export(api, tenant):
    replies = [
        api.post(f"{PATH}/traces", RANGE | {"format": "csv"}, content_type="application/json",
                 headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]  # fmt: skip

    assert (replies[0].json(), ExportJob.objects.count()) == (replies[1].json(), 1)


def test_a_job_is_out_of_sight_for_others_and_for_who_lacks_one_of_its_projects(api, make_tenant, create):
    job_id = create().json()["job_id"]
    other = make_tenant("umbrella")
    paths = [f"{PATH}/jobs/{job_id}", f"{PATH}/jobs/{job_id}/download", f"{PATH}/jobs/nothing"]

    assert [error(client(**other.headers).get(path)) for path in paths] == [(404, 1302, "")] * 3
    assert error(client(**other.headers).delete(paths[0])) == (404, 1302, "")
    assert client(**other.headers).get(f"{PATH}/jobs").json()["jobs"] == []


def test_the_list_is_newest_first_and_narrowed_by_status(api, exported, create):
    done, _ = exported()
    waiting = create().json()["job_id"]
    every = api.get(f"{PATH}/jobs").json()

    assert [one["job_id"] for one in every["jobs"]] == [waiting, done["job_id"]]
    assert every["pagination"] == {"total": 2, "limit": 20, "offset": 0, "has_more": False}
    assert [one["job_id"] for one in api.get(f"{PATH}/jobs", {"status": "pending"}).json()["jobs"]] == [waiting]
    assert error(api.get(f"{PATH}/jobs", {"status": "lost"})) == (400, 1202, "status")


def test_what_has_not_ended_can_be_cancelled_once(api, create):
    job = create().json()
    path = f"{PATH}/jobs/{job['job_id']}"
    first, second = api.delete(path), api.delete(path)
    export_run(ExportJob.objects.get(id=job["job_id"]).id)

    assert (first.status_code, error(second)) == (204, (409, 1406, ""))
    assert (api.get(path).json()["status"], error(download(api, job)[0])) == ("cancelled", (409, 1403, ""))


def test_a_running_export_looks_for_its_cancellation_at_each_step(settings, api, send, create, monkeypatch):
    settings.EXPORT_STEP_ROWS = 2
    send(*spans(9))
    job_id = ExportJob.objects.get(id=create().json()["job_id"]).id
    sync = WorkFile.sync

    def cancelled(file):
        sync(file)
        api.delete(f"{PATH}/jobs/{job_id}")

    monkeypatch.setattr(WorkFile, "sync", cancelled)
    export_run(job_id)

    assert (ExportJob.objects.get(id=job_id).status, work_path(job_id).exists()) == ("cancelled", False)


def test_a_full_disk_fails_the_export_with_a_sentence(api, send, create, monkeypatch):
    send(*spans(3))
    job_id = ExportJob.objects.get(id=create().json()["job_id"]).id

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(WorkFile, "sync", full)
    export_run(job_id)
    job = api.get(f"{PATH}/jobs/{job_id}").json()

    assert (job["status"], job["error_message"], work_path(job_id).exists()) == (
        "failed",
        "The disk of exported files is full: ask the operator for room, then create the export again.",
        False,
    )


def test_an_export_that_was_interrupted_is_revived_and_one_that_never_gets_on_has_failed(send, create, monkeypatch):
    send(*spans(3))
    job_id = ExportJob.objects.get(id=create().json()["job_id"]).id

    def away():
        raise StoreError("away")

    monkeypatch.setattr(running, "store", away)
    monkeypatch.setattr(running, "PATIENCE", timedelta(0))
    statuses = []
    for _ in range(MOST_ATTEMPTS + 2):
        ExportJob.objects.filter(id=job_id).update(rows=0)
        export_run(job_id)
        statuses.append((ExportJob.objects.get(id=job_id).status, exports_revive()))

    assert (statuses[0], statuses[-1]) == (("processing", 1), ("failed", 0))


def test_a_file_goes_with_its_time_and_its_row_some_days_later(settings, api, exported):
    job, _ = exported()
    row = ExportJob.objects.get(id=job["job_id"])
    now = row.expires_at
    first = exports_expire(now=now)
    kept = (store().size(row.file_name), ExportJob.objects.get().status)

    assert (first, kept) == (1, (None, "expired"))
    assert (exports_expire(now=now + timedelta(days=settings.EXPORT_PURGE_DAYS)), ExportJob.objects.count()) == (1, 0)


def test_a_file_that_its_store_does_not_delete_stays_until_it_does(exported, monkeypatch):
    job, _ = exported()
    now = ExportJob.objects.get(id=job["job_id"]).expires_at

    def away(*_):
        raise StoreError("away")

    with monkeypatch.context() as patched:
        patched.setattr(FolderStore, "delete", away)
        first = (exports_expire(now=now), ExportJob.objects.get().status)

    assert (first, exports_expire(now=now)) == ((0, "completed"), 1)


def test_figures_are_of_the_exports_of_so_many_days(api, send, exported, create):
    send(*spans(4))
    _, file = exported()
    create()
    figures = api.get(f"{PATH}/statistics").json()

    assert fits("ExportStatistics", figures) == []
    assert figures | {"avg_export_time_seconds": 0} == {
        "total_jobs": 2,
        "by_status": {"pending": 1, "processing": 0, "completed": 1, "failed": 0, "cancelled": 0, "expired": 0},
        "total_traces_exported": 4,
        "total_bytes_exported": len(file),
        "avg_export_time_seconds": 0,
    }
    assert error(api.get(f"{PATH}/statistics", {"days": 366})) == (400, 1200, "days")


def test_creating_downloading_and_cancelling_are_audited(api, exported, create):
    job, _ = exported()
    download(api, job)
    waiting = create().json()["job_id"]
    api.delete(f"{PATH}/jobs/{waiting}")

    assert list(AuditEntry.objects.order_by("ts").values_list("action", "resource_type", "resource_id", "success")) == [
        ("create", "export", job["job_id"], True),
        ("export", "export", job["job_id"], True),
        ("export", "export", job["job_id"], True),
        ("create", "export", waiting, True),
        ("delete", "export", waiting, True),
    ]
