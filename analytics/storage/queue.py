"""Jobs that are put into the queue with what they are about: both are committed, or neither is."""

from datetime import datetime

from django.db import transaction
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

# Not the application's own: inside the worker that has a connection beside Django's, whose jobs would be begun before
# what they are about is committed.
_JOBS = JobManager(DjangoConnector())


def enqueue(task: str, *, queue: str, lock: str, at: datetime | None = None, **arguments: str) -> None:
    """Let a worker run a task, not before `at`, as a part of the caller's transaction.

    Of one `lock` a single job waits: where one does already, nothing is done.
    """
    deferred = configure_task(name=task, job_manager=_JOBS, queue=queue, queueing_lock=lock, schedule_at=at)
    try:
        with transaction.atomic():
            deferred.defer(**arguments)
    except AlreadyEnqueued:
        return
