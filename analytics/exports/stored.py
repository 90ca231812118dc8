"""The file of an export that is in the store without being a completed one's: its worker died before it said so.

`file_name` is written before the file is put away. So the row of a job knows what there may be in the store, and the
next run takes it back; once there is none, it is deleted.
"""

import hashlib

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from analytics.exports.files import Store, StoreError, store
from analytics.exports.writing import LostError, WorkFile
from analytics.models import ExportJob, ExportStatus
from analytics.storage.exclusive import BusyError, exclusively

log = structlog.get_logger("analytics.exports")
_WITHOUT = (ExportStatus.FAILED, ExportStatus.CANCELLED)  # what ended without a file


def take_back(job: ExportJob, file: WorkFile) -> None:
    """Make the working file anew from the stored one, up to the last step; raise `LostError` when that is another."""
    place = store()
    file.resume(size=0, sha256="")
    if (place.size(job.file_name) or 0) >= job.bytes:
        for block in place.read(job.file_name, 0, job.bytes):
            file.write(block)
        file.sync()
    if (file.size, file.sha256) != (job.bytes, job.sha256):
        raise LostError(f"the stored file does not begin with the {job.bytes} octets that were written")


def is_overtaken(job: ExportJob) -> bool:
    """Whether a later export of the same day puts its file in the place of this one's, or began to and ended."""
    return bool(job.target) and _of_the_name(job).filter(created_at__gt=job.created_at).exists()


def clear(job: ExportJob) -> bool:
    """Delete what a job that ended without being completed has in the store; return whether there is nothing left.

    Where a scheduled one did not get to replace the file of an earlier export, that stays; else the earlier is over.
    """
    if not job.file_name:
        return True
    try:
        with exclusively(f"export file {job.file_name}"):
            _clear(job, store())
    except (BusyError, StoreError) as problem:  # it is tried again with those that expire
        log.warning("stored file not deleted", job_id=str(job.id), problem=str(problem))
        return False
    ExportJob.objects.filter(id=job.id, status__in=_WITHOUT).update(file_name="")
    return True


def _clear(job: ExportJob, place: Store) -> None:
    if ExportJob.objects.filter(id=job.id).exclude(status__in=_WITHOUT).exists():
        return
    earlier = Q(created_at__lte=job.created_at)
    if _of_the_name(job).exclude(earlier).exclude(status__in=_WITHOUT).exists():
        return  # a later export of the day has the place
    before = _of_the_name(job).filter(earlier, status=ExportStatus.COMPLETED)
    if not any(_is_of(one, place) for one in before):
        place.delete(job.file_name)
        before.update(status=ExportStatus.EXPIRED, expires_at=timezone.now())


def clear_left() -> None:
    """Do so for all of them that no worker holds: they died before they could, or the store was away."""
    left = ExportJob.objects.filter(status__in=_WITHOUT).exclude(file_name="").order_by("created_at")
    for job in left:
        try:
            with exclusively(f"export {job.id}"):
                clear(job)
        except BusyError:
            continue


def _of_the_name(job: ExportJob) -> QuerySet[ExportJob]:
    return ExportJob.objects.filter(organisation_id=job.organisation_id, file_name=job.file_name).exclude(id=job.id)


def _is_of(job: ExportJob, place: Store) -> bool:
    """Whether the stored file is the one that a completed job tells of."""
    if place.size(job.file_name) != job.bytes:
        return False
    digest = hashlib.sha256()
    for block in place.read(job.file_name, 0, job.bytes):
        digest.update(block)
    return digest.hexdigest() == job.sha256
