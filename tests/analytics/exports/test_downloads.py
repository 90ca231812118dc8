"""Downloads of exports: what they say, their parts, and when there is nothing to download."""

import base64
import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.exports.files import FolderStore, StoreError, store
from analytics.models import ExportJob
from tests.analytics.exports.conftest import PATH, download, error, spans
from tests.observatory.asking import ask


def test_a_download_says_what_it_is(api, send, exported):
    send(*spans(3))
    job, file = exported(format="csv", compression="gzip")
    reply, body = download(api, job)
    digest = base64.b64encode(hashlib.sha256(file).digest()).decode()

    assert (reply.status_code, body) == (200, file)
    assert {name: reply[name] for name in (
        "Content-Type", "Content-Disposition", "Content-Length", "Accept-Ranges", "ETag", "Repr-Digest", "Cache-Control",
    )} == {
        "Content-Type": "application/gzip",
        "Content-Disposition": f'attachment; filename="traces-{job["job_id"]}.csv.gz"',
        "Content-Length": str(len(file)),
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.sha256(file).hexdigest()}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "private, no-store",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=0-9", slice(0, 10)), ("bytes=5-", slice(5, None)), ("bytes=-7", slice(-7, None)),
     ("bytes=3-99999999", slice(3, None))],
)  # fmt: skip
def test_a_part_of_the_file_can_be_asked_for(api, send, exported, asked, part):
    send(*spans(3))
    job, file = exported()
    reply, body = download(api, job, Range=asked)
    start = part.indices(len(file))[0]

    assert (reply.status_code, body) == (206, file[part])
    assert reply["Content-Range"] == f"bytes {start}-{start + len(body) - 1}/{len(file)}"


def test_a_part_counts_only_for_the_file_that_it_was_begun_with(api, send, exported):
    send(*spans(3))
    job, file = exported()
    tag = f'"{job["manifest"]["sha256"]}"'
    answers = [download(api, job, Range="bytes=0-3", **{"If-Range": one}) for one in (tag, '"other"', f"W/{tag}")]

    assert [(reply.status_code, body) for reply, body in answers] == [(206, file[:4]), (200, file), (200, file)]


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "lines=0-1", "bytes=5-2", "bytes="])
def test_what_is_no_single_range_gives_the_whole_file(api, send, exported, asked):
    send(*spans(3))
    job, file = exported()
    reply, body = download(api, job, Range=asked)

    assert (reply.status_code, body) == (200, file)


def test_a_range_behind_the_end_is_refused_with_the_size(api, send, exported):
    send(*spans(3))
    job, file = exported()
    reply, _ = download(api, job, Range=f"bytes={len(file)}-")

    assert (error(reply), reply["Content-Range"]) == ((416, 1200, ""), f"bytes */{len(file)}")


def test_head_and_a_known_tag_send_no_file(api, send, exported):
    send(*spans(3))
    job, file = exported()
    head, body = ask(f"{PATH}/jobs/{job['job_id']}/download", client=api, method="HEAD")
    known, nothing = download(api, job, **{"If-None-Match": f'"{job["manifest"]["sha256"]}"'})

    assert (head.status_code, head["Content-Length"], body) == (200, str(len(file)), b"")
    assert (known.status_code, nothing) == (304, b"")


def test_a_download_takes_any_accept(api, exported):
    job, _ = exported(format="csv")

    assert download(api, job, Accept="text/csv")[0].status_code == 200


def test_there_is_nothing_to_download_before_completion_after_expiry_and_when_the_file_is_gone(api, create, exported):
    job, _ = exported()
    waiting = create().json()
    store().delete(ExportJob.objects.get(id=job["job_id"]).file_name)
    answers = [error(download(api, one)[0]) for one in (waiting, job)]
    ExportJob.objects.filter(id=job["job_id"]).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert [*answers, error(download(api, job)[0])] == [(409, 1403, ""), (404, 1303, ""), (410, 1304, "")]
    assert api.get(f"{PATH}/jobs/{job['job_id']}").json()["status"] == "expired"


def test_a_store_that_does_not_answer_is_a_503(api, exported, monkeypatch):
    job, _ = exported()

    def away(*_):
        raise StoreError("away")

    monkeypatch.setattr(FolderStore, "size", away)

    assert error(download(api, job)[0]) == (503, 1702, "")
