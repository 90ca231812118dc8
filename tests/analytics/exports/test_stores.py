"""Where finished files are: a folder, and a bucket of a server that speaks S3 over HTTP.

The server is moto's, or the one that OBSERVATORY_TEST_S3_URL names, with any credentials.
"""

import base64
import hashlib
import json
import os
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from analytics.exports.files import BucketStore, FolderStore, StoreError, work_ids
from analytics.exports.running import MOST_ATTEMPTS, PATIENCE, export_run
from analytics.exports.service import exports_expire
from analytics.models import ExportJob
from tests.analytics.exports.conftest import PATH, download, spans
from tests.analytics.exports.s3 import s3_server, way_to
from tests.observatory.asking import ask

NOWHERE = "http://127.0.0.1:1"
NAME = "scheduled/acme/day=2026-03-01/traces.parquet"


@pytest.fixture(scope="module")
def server():
    with s3_server() as url:
        yield url


@pytest.fixture
def way(server):
    with way_to(server) as way:
        yield way


@pytest.fixture
def credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def bucket(url, name="observatory-test"):
    from analytics.exports.buckets import Bucket  # noqa: PLC0415  boto3 takes a while to load

    return Bucket(
        bucket_name=name, endpoint_url=url, region_name="us-east-1", location=uuid4().hex, file_overwrite=True
    )


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path, credentials):
    if request.param == "folder":
        return FolderStore(tmp_path / "files")
    storage = bucket(request.getfixturevalue("server"))
    storage.connection.create_bucket(Bucket=storage.bucket_name)
    return BucketStore(storage)


@pytest.fixture
def put(store, tmp_path):
    def put(octets):
        path = tmp_path / "work.part"
        path.write_bytes(octets)
        store.put(path, NAME)
        return path

    return put


def test_a_file_is_moved_and_read_whole_and_in_parts(store, put):
    octets = os.urandom(9_000_000)  # more than one part of an upload
    path = put(octets)

    assert (path.exists(), store.size(NAME)) == (False, len(octets))
    assert b"".join(store.read(NAME, 0, len(octets))) == octets
    assert b"".join(store.read(NAME, 8_388_600, 8_388_616)) == octets[8_388_600:8_388_616]
    assert b"".join(store.read(NAME, 5, 5)) == b""


def test_a_file_of_the_same_name_is_replaced(store, put):
    put(b"one"), put(b"other")

    assert b"".join(store.read(NAME, 0, 5)) == b"other"


def test_a_file_without_octets_is_there(store, put):
    put(b"")

    assert store.size(NAME) == 0


def test_what_is_not_there_has_no_size_is_not_read_and_deleted_in_peace(store, put):
    put(b"x")
    store.delete(NAME)
    store.delete(NAME)

    assert store.size(NAME) is None
    with pytest.raises(StoreError):
        b"".join(store.read(NAME, 0, 1))


def test_a_bucket_that_is_away_says_so(credentials, tmp_path):
    store, path = BucketStore(bucket(NOWHERE)), tmp_path / "work.part"
    path.write_bytes(b"x")

    for work in (lambda: store.put(path, NAME), lambda: store.size(NAME), lambda: store.delete(NAME)):
        with pytest.raises(StoreError):
            work()
    assert path.exists()


@pytest.fixture
def outage(credentials, monkeypatch):
    """Let all that is asked of the store go to a bucket that is away, until the function is called."""
    away = BucketStore(bucket(NOWHERE))
    for module in ("running", "selectors"):
        monkeypatch.setattr(f"analytics.exports.{module}.store", lambda: away)
    return monkeypatch.undo


def test_a_download_from_a_bucket_that_is_away_is_a_503(api, exported, request):
    done, _ = exported()
    request.getfixturevalue("outage")
    refused, body = ask(f"{PATH}/jobs/{done['job_id']}/download", client=api)

    assert (refused.status_code, json.loads(body)["error"]["code"]) == (503, 1702)


def test_an_export_waits_for_its_bucket_as_long_as_that_is_away(send, create, outage):
    send(*spans(3))
    job = ExportJob.objects.get(id=create().json()["job_id"])
    for _ in range(MOST_ATTEMPTS + 1):
        export_run(job.id)
    job.refresh_from_db()
    before = job.status
    outage()
    export_run(job.id)
    job.refresh_from_db()

    assert (before, job.status, job.rows) == ("processing", "completed", 3)


# --- the whole way, from the settings to a bucket -------------------------------------------------------------------
@pytest.fixture
def in_bucket(credentials, settings, way):
    """Let exports go to a bucket behind `way`; return a function that lists what is in it, and its name."""
    name = f"exports-{uuid4().hex}"
    options = settings.STORAGES["exports"]["OPTIONS"]
    options = options | {"bucket_name": name, "endpoint_url": way.url, "region_name": "us-east-1", "location": "llmo"}
    settings.STORAGES = settings.STORAGES | {"exports": settings.STORAGES["exports"] | {"OPTIONS": options}}
    settings.EXPORT_S3_BUCKET = name
    client = storages["exports"].connection.meta.client
    client.create_bucket(Bucket=name)

    def listed():
        return {one["Key"]: one["Size"] for one in client.list_objects_v2(Bucket=name).get("Contents", [])}

    listed.name = name
    return listed


def run(create, **body):
    """Create an export and run it once; return its row."""
    job = ExportJob.objects.get(id=create(**body).json()["job_id"])
    export_run(job.id)
    job.refresh_from_db()
    return job


def test_an_export_is_stored_in_the_bucket_downloaded_and_expires_there(api, send, exported, in_bucket, tenant):
    send(*spans(3))
    job, file = exported(format="csv")
    stored = in_bucket()
    whole, _ = download(api, job)
    part, octets = download(api, job, Range="bytes=5-19")
    now = timezone.now()
    ExportJob.objects.filter(id=job["job_id"]).update(expires_at=now)
    expired = exports_expire(now=now)
    over, _ = download(api, job)

    assert stored == {f"llmo/{tenant.organisation.public_id}/{job['job_id']}.csv": len(file)}
    assert whole["Repr-Digest"] == f"sha-256=:{base64.b64encode(hashlib.sha256(file).digest()).decode()}:"
    assert (part.status_code, part["Content-Range"], octets) == (206, f"bytes 5-19/{len(file)}", file[5:20])
    assert (expired, over.status_code, over.json()["error"]["code"], in_bucket()) == (1, 410, 1304, {})


def test_a_bucket_that_goes_away_while_a_file_is_sent_shows_none_of_it(in_bucket, way, tmp_path):
    path, octets = tmp_path / "work.part", os.urandom(9_000_000)  # two parts of an upload
    path.write_bytes(octets)
    store = BucketStore(storages["exports"])
    way.breaks(up=8_600_000)
    with pytest.raises(StoreError):
        store.put(path, NAME)
    way.mend()

    assert (in_bucket(), path.read_bytes() == octets) == ({}, True)


def test_an_export_whose_bucket_went_away_is_stored_once_that_is_back(send, create, exported, in_bucket, way):
    send(*spans(3))
    digest = exported()[0]["manifest"]["sha256"]
    before = in_bucket()
    way.breaks(up=0)
    job = run(create)
    waiting = (job.status, job.rows, job.error_message, job.attempts)
    way.mend()
    between = in_bucket()
    export_run(job.id)
    job.refresh_from_db()

    assert (waiting, between) == (("processing", 3, None, 0), before)
    assert (job.status, job.sha256, len(in_bucket())) == ("completed", digest, len(before) + 1)


def test_an_export_whose_bucket_stays_away_fails_and_leaves_nothing(api, send, create, in_bucket, way):
    send(*spans(3))
    way.breaks(up=0)
    job = run(create)
    ExportJob.objects.filter(id=job.id).update(created_at=timezone.now() - PATIENCE - timedelta(hours=1))
    for _ in range(MOST_ATTEMPTS + 1):
        export_run(job.id)
    told = api.get(f"{PATH}/jobs/{job.id}").json()
    refused, _ = download(api, {"job_id": job.id})
    way.mend()
    exports_expire(now=timezone.now())

    assert (told["status"], told["error_message"]) == (
        "failed", f"It was given up after {MOST_ATTEMPTS} runs that did not get on: tell the operator.",
    )  # fmt: skip
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, 1403)
    assert (in_bucket(), [one for one in work_ids() if one == job.id]) == ({}, [])


def test_a_download_from_a_bucket_that_goes_away_tells_nothing_of_it(api, send, exported, in_bucket, way):
    send(*spans(3))
    job, _ = exported()
    way.breaks(up=0)
    refused, body = download(api, job)

    assert (refused.status_code, json.loads(body)["error"]["code"]) == (503, 1702)
    assert [word for word in (in_bucket.name, way.url, "127.0.0.1", "boto", "llmo/") if word in body.decode()] == []


def test_a_download_whose_bucket_goes_away_in_its_midst_breaks_off(api, send, exported, in_bucket, way):
    send(*spans(200))
    job, file = exported(format="csv")
    way.breaks(down=len(file) // 2)  # the heads of the replies before it are little beside that
    reply = api.get(f"{PATH}/jobs/{job['job_id']}/download")
    received = []
    with pytest.raises(StoreError) as problem:
        received.extend(reply.streaming_content)
    reply.close()
    got = b"".join(received)

    assert (reply.status_code, int(reply["Content-Length"]), file.startswith(got), len(got) < len(file)) == (
        200, len(file), True, True,
    )  # fmt: skip
    assert in_bucket.name not in str(problem.value)
