"""Jobs that are put into the queue with what they are about: both are committed, or neither is."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

LONG = "long"  # of periodic jobs that may take minutes, and keep those waiting that are due every few seconds
SEARCH = "search"  # of the one that follows the spans while they arrive

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


def enqueue_all(task: str, *, queue: str, jobs: Mapping[str, Mapping[str, str]]) -> int:
    """Do so with many jobs at once, arguments by lock; return of how many none waited yet.

    Where somebody else puts one of them into the queue at the same moment, nothing is done and 0 returned.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(%s)",
            [list(jobs)],
        )
        waiting = {lock for (lock,) in cursor.fetchall()}
    made = [
        configure_task(name=task, job_manager=_JOBS, queue=queue, queueing_lock=lock).make_new_job(**arguments)
        for lock, arguments in jobs.items()
        if lock not in waiting
    ]
    try:
        with transaction.atomic():
            return len(_JOBS.batch_defer_jobs(made)) if made else 0
    except AlreadyEnqueued:
        return 0
