"""Periodic jobs of the worker that take rooms of several apps."""

from django.utils import timezone
from procrastinate.contrib.django import app

from analytics.storage.exclusive import BusyError
from observatory.lifecycle import retention_run


@app.periodic(cron="41 * * * *")
@app.task(name="retention", queueing_lock="retention", pass_context=False)
def retention(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Free what is past its limit; return how many rows. An operator's run that is under way does the same."""
    try:
        freed = retention_run("worker", now=timezone.now())
    except BusyError:
        return 0
    return sum(loss.rows for loss in freed.storage.losses) + freed.audit_rows
