"""Periodic jobs of the worker. Each is a plain function that can run again at any time."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from procrastinate.contrib.django import app

from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage import metrics
from analytics.storage.ageing import retention_apply
from analytics.storage.costs import forget_costs_behind
from analytics.storage.engines import compression, engine
from analytics.storage.exclusive import BusyError
from analytics.storage.horizons import forget_marks_behind
from analytics.storage.partitions import ensure_days
from analytics.storage.rejected import forget_rejected
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
    forget_marks_behind()
    done = 0
    for grain in GRAIN_WIDTHS:
        more = True
        while more:
            with metrics.REFRESH.labels(grain).time():
                refreshed = refresh(grain, before=timezone.now())
            done, more = done + refreshed.buckets, refreshed.more
    return done


@app.periodic(cron="41 * * * *")
@app.task(name="retention", queueing_lock="retention", pass_context=False)
def retention(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Free what is past its limit; return how many rows. An operator's run that is under way does the same."""
    try:
        report = retention_apply(now=timezone.now())
    except BusyError:
        return 0
    forget_costs_behind()
    return sum(loss.rows for loss in report.losses)


@app.periodic(cron="17 3 * * *")
@app.task(name="compression", queueing_lock="compression", pass_context=False)
def compress(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Move days that are old enough into the columnstore where the engine has one; return how many tables."""
    if engine().name != "timescaledb":
        return 0
    try:
        return compression.compress_due(today=timezone.now().date())
    except BusyError:
        return 0


@app.periodic(cron="*/5 * * * *")
@app.task(name="rejected", queueing_lock="rejected", pass_context=False)
def rejected(timestamp: int = 0) -> int:  # noqa: ARG001  the moment it was due, which periodic jobs are told
    """Shorten the lists of rejected spans to their days and numbers; return how many entries went."""
    kept = timedelta(days=settings.REJECTED_KEEP_DAYS)
    return forget_rejected(before=timezone.now() - kept, most=settings.REJECTED_MAX_PER_PROJECT)
