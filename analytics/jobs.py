"""Periodic jobs of the worker. Each is a plain function that can run again at any time."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django import app

from analytics.storage.partitions import ensure_days


@app.periodic(cron="7 * * * *")
@app.task(name="partitions", queueing_lock="partitions", pass_context=False)
def partitions(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Make the partitions of today and the days ahead; return how many tables were made."""
    today = timezone.now().date()
    return ensure_days(today + timedelta(days=ahead) for ahead in range(settings.PARTITIONS_AHEAD_DAYS + 1))
