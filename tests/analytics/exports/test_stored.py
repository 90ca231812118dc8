"""Workers that die, or are overtaken, between storing a file and saying so: what becomes of the file."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.db import connection
from django.utils import timezone

from analytics.exports import running, schedules, stored
from analytics.exports.files import BucketStore, FolderStore, StoreError
from analytics.exports.running import export_run
from analytics.exports.service import exports_expire
from analytics.models import ExportJob, ExportSchedule
from tests.analytics.exports.conftest import DAY, PATH, spans
from tests.observatory.asking import ask

SOON = DAY + timedelta(days=1, hours=1)  # when the day is due


class DiedError(BaseException):
    """What ends a worker, and nothing sees."""


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path
    return tmp_path


@pytest.fixture
def die(monkeypatch):
    """Return a function that runs an export until its file is stored, or until `before` of the module `running`."""

    def die(job_id, before="_finish"):
        def died(*_given, **_values):
            raise DiedError

        with monkeypatch.context() as killed:
            killed.setattr(running, before, died)
            with pytest.raises(DiedError):
                export_run(job_id)

    return die


@pytest.fixture
def job(send, create, settings):
    """Return a function that creates an export of nine spans in steps of two."""
    settings.EXPORT_STEP_ROWS = 2
    send(*spans(9))

    def make(**body):
        return ExportJob.objects.get(id=create(**body).json()["job_id"])

    return make


def files():
    return sorted(str(path.relative_to(configured.EXPORT_DIR)) for path in Path(configured.EXPORT_DIR).rglob("*.*"))


def downloaded(api, job):
    reply, octets = ask(f"{PATH}/jobs/{job.id}/download", client=api)
    return reply.status_code, octets


@pytest.mark.parametrize(
    "body",
    [
        {"format": "csv"},
        {"format": "json", "compression": "gzip"},
        {"format": "parquet"},
        {"format": "jsonl", "limit": 9},
        {"format": "jsonl", "model": "none"},
    ],
    ids=str,
)
def test_one_whose_worker_died_behind_its_file_goes_on_from_that(api, job, die, monkeypatch, body):
    undisturbed, killed, steps = job(**body), job(**body), []
    export_run(undisturbed.id)
    die(killed.id)
    monkeypatch.setattr(running, "_record", lambda *_given: steps.append(_given))
    export_run(killed.id)
    undisturbed.refresh_from_db(), killed.refresh_from_db()

    assert steps == []
    assert downloaded(api, killed) == downloaded(api, undisturbed)
    assert (killed.status, killed.sha256, killed.rows, killed.more) == (
        "completed", undisturbed.sha256, undisturbed.rows, undisturbed.more,
    )  # fmt: skip
    assert len(files()) == 2


def test_one_whose_stored_file_is_another_begins_anew(api, job, die):
    killed = job()
    die(killed.id)
    (name,) = Path(configured.EXPORT_DIR).rglob("*.jsonl")
    name.write_bytes(b"x" * name.stat().st_size)
    export_run(killed.id)
    killed.refresh_from_db()

    assert (killed.status, killed.rows, len(downloaded(api, killed)[1].splitlines())) == ("completed", 9, 9)


def test_one_whose_stored_file_breaks_off_while_it_is_read_waits_for_the_store(job, die, monkeypatch):
    def breaks_off(*_given):
        yield b"{"
        raise StoreError("The connection was closed.")

    killed = job()
    die(killed.id)
    with monkeypatch.context() as broken:
        broken.setattr(FolderStore, "read", breaks_off)
        export_run(killed.id)
    killed.refresh_from_db()
    before = (killed.status, killed.rows)
    export_run(killed.id)
    killed.refresh_from_db()

    assert (before, killed.status) == (("processing", 9), "completed")


@pytest.mark.parametrize("ends", [export_run, lambda _: exports_expire(now=timezone.now())], ids=["run", "clearing"])
def test_a_stored_file_goes_with_its_cancelled_job(api, job, die, ends):
    killed = job()
    die(killed.id)
    assert api.delete(f"{PATH}/jobs/{killed.id}").status_code == 204
    before = files()
    ends(killed.id)
    exports_expire(now=timezone.now())

    assert (len([name for name in before if name.endswith(".jsonl")]), files()) == (1, [])


def test_a_file_that_is_cancelled_while_it_is_stored_goes(api, job, monkeypatch):
    cancelled, put = job(), FolderStore.put

    def slow(store, path, name):
        put(store, path, name)
        assert api.delete(f"{PATH}/jobs/{cancelled.id}").status_code == 204

    monkeypatch.setattr(FolderStore, "put", slow)
    export_run(cancelled.id)
    cancelled.refresh_from_db()

    assert (cancelled.status, files()) == ("cancelled", [])


def test_a_file_that_is_stored_short_goes_with_its_failed_job(job, monkeypatch):
    failed = job()
    monkeypatch.setattr(FolderStore, "size", lambda *_given: 1)
    export_run(failed.id)
    failed.refresh_from_db()

    assert (failed.status, files()) == ("failed", [])


def test_what_its_store_does_not_delete_is_remembered_until_it_does(api, job, die, monkeypatch):
    def away(*_given):
        raise StoreError("The store is away.")

    killed, late = job(), timezone.now() + timedelta(days=400)
    die(killed.id)
    api.delete(f"{PATH}/jobs/{killed.id}")
    with monkeypatch.context() as broken:
        broken.setattr(FolderStore, "delete", away)
        export_run(killed.id)
        exports_expire(now=late)
        before = (ExportJob.objects.count(), len(files()))
    exports_expire(now=late)

    assert (before, ExportJob.objects.count(), files()) == ((1, 1), 0, [])


def test_a_body_of_a_bucket_that_breaks_off_is_a_store_that_is_away(monkeypatch):
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415  it takes a while to load

    class Broken:
        bucket = property(lambda self: self)

        def _normalize_name(self, name):
            return name

        def Object(self, _name):  # noqa: N802  as boto3 spells it
            return self

        def get(self, **_given):
            return {"Body": self}

        def iter_chunks(self, _size):
            yield b"x"
            raise ReadTimeoutError(endpoint_url="")

    with pytest.raises(StoreError):
        b"".join(BucketStore(Broken()).read("name", 0, 9))


# --- the day of a schedule that is made again -------------------------------------------------------------------------
@pytest.fixture
def days(api, send):
    """Return a day's export that is completed, and one that makes the day again, of spans that changed meanwhile."""
    send(*spans(3))
    body = {"name": "Calls", "prefix": "calls", "every": "daily", "format": "jsonl", "next_day": str(DAY.date())}
    assert api.post(f"{PATH}/schedules", body, content_type="application/json").status_code == 201
    first = _begun(SOON)
    export_run(first.id)
    ExportSchedule.objects.update(next_day=DAY.date(), job_id=None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE llm_traces SET span_name = reverse(span_name)")
    first.refresh_from_db()
    return first, _begun(SOON + timedelta(hours=1))


def _begun(now):
    schedules.schedules_run(now=now)
    return ExportJob.objects.get(status="pending")


def status_of(job):
    return ExportJob.objects.values_list("status", flat=True).get(id=job.id)


def test_nobody_gets_the_octets_of_a_later_export_as_those_of_the_earlier(api, days, die):
    first, again = days
    die(again.id)
    (file,) = Path(configured.EXPORT_DIR).rglob("traces.jsonl")
    replaced = file.read_bytes()
    refused = downloaded(api, first)
    export_run(again.id)
    again.refresh_from_db()

    assert len(replaced) == first.bytes  # so that no size tells them apart
    assert (refused[0], b'"code":1303' in refused[1]) == (404, True)
    assert (downloaded(api, first)[0], downloaded(api, again)) == (410, (200, replaced))
    assert stored._is_of(again, FolderStore(Path(configured.EXPORT_DIR) / "files"))  # as its manifest says


def test_an_earlier_one_is_over_when_the_later_that_took_its_place_is_cancelled(api, days, die):
    first, again = days
    die(again.id)
    assert api.delete(f"{PATH}/jobs/{again.id}").status_code == 204
    exports_expire(now=timezone.now())

    assert (status_of(first), downloaded(api, first)[0], files()) == ("expired", 410, [])


def test_an_earlier_one_stays_when_the_later_did_not_get_to_its_place(api, days, die):
    first, again = days
    kept = downloaded(api, first)
    die(again.id, before="_put_away")
    between = downloaded(api, first)[0]
    api.delete(f"{PATH}/jobs/{again.id}")
    exports_expire(now=timezone.now())

    assert (kept[0], between, downloaded(api, first)) == (200, 404, kept)


def test_the_time_of_an_earlier_one_takes_no_file_from_the_later(api, days, die):
    first, again = days
    ExportJob.objects.filter(id=first.id).update(expires_at=timezone.now())
    die(again.id)
    exports_expire(now=timezone.now())
    left = [name for name in files() if name.endswith("traces.jsonl")]
    export_run(again.id)

    assert (status_of(first), status_of(again), len(left)) == ("expired", "completed", 1)


def test_a_later_one_keeps_its_place_when_an_earlier_that_died_there_is_taken_up(api, days, die):
    first, again = days
    ExportJob.objects.filter(id=first.id).update(status="processing")  # as if it had died behind its file
    export_run(again.id)
    kept = downloaded(api, ExportJob.objects.get(id=again.id))
    export_run(first.id)

    assert (status_of(first), kept[0], downloaded(api, again)) == ("failed", 200, kept)
