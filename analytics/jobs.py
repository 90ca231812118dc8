"""Periodic jobs of the worker. Each is a plain function that can run again at any time."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django import app

from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage.partitions import ensure_days
from analytics.storage.rollups import refresh


@app.periodic(cron="7 * * * *")
@app.task(name="partitions", queueing_lock="partitions", pass_context=False)
def partitions(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Make the partitions of today and the days ahead; return how many tables were made."""
    today = timezone.now().date()
    return ensure_days(today + timedelta(days=ahead) for ahead in range(settings.PARTITIONS_AHEAD_DAYS + 1))


@app.periodic(cron="* * * * * */30")
@app.task(name="rollups", queueing_lock="rollups", pass_context=False)
def rollups(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Refresh every rollup, the finer ones first; return how many buckets were made anew."""
    done = 0
    for grain in GRAIN_WIDTHS:
        more = True
        while more:
            refreshed = refresh(grain, before=timezone.now())
            done, more = done + refreshed.buckets, refreshed.more
    return done
