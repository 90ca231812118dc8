"""Where finished files are: a folder, and a bucket of a server that speaks S3 over HTTP.

The bucket is tried where OBSERVATORY_TEST_S3_URL names such a server, with any credentials, for example moto's:
`pip install 'moto[s3,server]'; moto_server -p 5555; OBSERVATORY_TEST_S3_URL=http://127.0.0.1:5555 make test`.
"""

import json
import os
from uuid import uuid4

import pytest

from analytics.exports.files import BucketStore, FolderStore, StoreError
from analytics.exports.running import MOST_ATTEMPTS, export_run
from analytics.models import ExportJob
from tests.analytics.exports.conftest import PATH, spans
from tests.observatory.asking import ask

SERVER = os.environ.get("OBSERVATORY_TEST_S3_URL")
NOWHERE = "http://127.0.0.1:1"
NAME = "scheduled/acme/day=2026-03-01/traces.parquet"


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
    if SERVER is None:
        pytest.skip("OBSERVATORY_TEST_S3_URL names no server")
    storage = bucket(SERVER)
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
