"""What operators look at before they do something: rollups, limits, days and jobs as they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from analytics.storage.engines import NotOnThisEngineError, engine
from analytics.storage.engines.compression import after_days, due, stored_days
from analytics.storage.horizons import EVER, horizons_of
from analytics.storage.retention import KINDS, limits_read
from analytics.storage.sizes import rollup_states
from observatory.accounts import audit
from observatory.accounts.models import Project
from observatory.admin.operation_forms import holds
from observatory.admin.operations import OPERATIONS
from observatory.admin_site import shown
from observatory.management.operating import size
from observatory.policies import policies


def _links(*keys: str) -> list[dict[str, str]]:
    return [{"title": OPERATIONS[key].title, "href": reverse("admin:operation", args=[key])} for key in keys]


@require_safe
def aggregates(request: HttpRequest) -> HttpResponse:
    """Show every rollup: rows, size, newest bucket, how far it is behind."""
    rows = [
        [
            one.table,
            one.grain,
            f"{one.rows:,}",
            size(one.bytes),
            _when(one.watermark),
            f"{one.behind.lag.total_seconds():.0f} s",
            f"{one.behind.marked:,}",
        ]
        for one in rollup_states(now=timezone.now())
    ]
    return shown(
        request,
        "state.html",
        title="Aggregates",
        about="Dashboards read rollups; buckets that changed are marked, and made anew by the worker.",
        links=_links("refresh-aggregates", "rebuild-aggregates", "verify-aggregates"),
        tables=[
            _table("Rollups", ("Rollup", "Width", "Rows", "Size", "Newest bucket", "Behind", "Marked"), rows, "cdfg")
        ],
    )


@require_safe
def retention(request: HttpRequest) -> HttpResponse:
    """Show how long each kind of data is kept, since when spans are, and the legal holds."""
    limits, since = limits_read(), horizons_of(()).spans
    names = {one.pk: str(one) for one in Project.objects.select_related("organisation")}
    rows = [[kind.key.replace("_", " "), "everybody", f"{limits.days(kind.key):,}"] for kind in KINDS]
    rows += [
        [kind.key.replace("_", " "), names.get(tenant.project_id, f"project {tenant.project_id}"),
         f"{limits.days(kind.key, tenant):,}"]
        for kind in KINDS for tenant in limits.tenants(kind.key)
    ]  # fmt: skip
    placed = [[one["of"], _when(one["since"]), one["reason"]] for one in holds()]
    return shown(
        request,
        "state.html",
        title="Retention",
        about="No span was dropped yet." if since == EVER else f"Spans are kept since {_when(since)}.",
        problem=f"These limits contradict each other and nothing is dropped: {limits.disorder()}."
        if limits.disorder()
        else "",
        links=_links("apply-retention", "set-retention", "add-hold", "remove-hold"),
        tables=[
            _table("Limits", ("Kind", "Of", "Days"), rows, "c"),
            _table("Legal holds", ("Of", "Since", "Reason"), placed, "", empty="There are none."),
        ],
    )


@require_safe
def compression(request: HttpRequest) -> HttpResponse:
    """Show the stored days with size and state, on an engine that has a columnstore."""
    try:
        days, after = stored_days(), after_days()
    except NotOnThisEngineError as reason:
        return shown(request, "state.html", title="Compression", about=str(reason), links=[], tables=[])
    waiting = {(one.relation, one.day) for one in due(today=timezone.now().date(), after=after)}
    rows = [
        [
            f"{one.day}",
            one.relation,
            f"{one.state}" + (", due" if (one.relation, one.day) in waiting else ""),
            size(one.bytes),
            f"{one.bytes_before / one.bytes:.1f}x smaller" if one.bytes_before and one.bytes else "",
        ]
        for one in reversed(days)
    ]
    return shown(
        request,
        "state.html",
        title="Compression",
        about=f"Days go into the columnstore when they are {after} days old; {len(waiting)} are due.",
        links=_links("apply-compression", "set-compression"),
        tables=[_table("Days", ("Day", "Relation", "State", "Size", ""), rows, "d", empty="There are no spans.")],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def jobs(request: HttpRequest) -> HttpResponse:
    """Show the worker's periodic jobs with last and next run, and what failed; a button lets one run now."""
    found = policies(now=timezone.now())
    if request.method == "POST":
        name = request.POST.get("job", "")
        if name not in {one.name for one in found}:
            raise Http404
        try:
            with transaction.atomic():
                app.configure_task(name, queueing_lock=name).defer(timestamp=int(timezone.now().timestamp()))
            messages.success(request, f"{name} runs as soon as the worker is free.")
        except AlreadyEnqueued:
            messages.info(request, f"{name} waits for the worker already.")
        user_id = str(request.user.pk)
        audit.describe(request, action="update", resource_type="job", resource_id=name, user_id=user_id)
        return HttpResponseRedirect(reverse("admin:jobs"))
    rows = [
        [one.name, one.cron, _when(one.last_run), one.last_result + (", late" if one.late else ""), _when(one.next_run)]
        for one in found
    ]
    failed = [[task, queue, str(attempts), _when(at)] for task, queue, attempts, at in _failed()]
    return shown(
        request,
        "jobs.html",
        title="Jobs",
        about=f"The worker runs these. The spans are on the {engine().name} engine.",
        jobs=rows,
        tables=[_table("Failed", ("Job", "Queue", "Attempts", "At"), failed, "c", empty="No job failed.")],
    )


def _failed() -> list[tuple[str, str, int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT job.task_name, job.queue_name, job.attempts,
                (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id)
            FROM procrastinate_jobs AS job WHERE status = 'failed' ORDER BY id DESC LIMIT 50
            """
        )
        return cast("list[tuple[str, str, int, datetime]]", cursor.fetchall())


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "–"  # noqa: RUF001  a dash, as in print


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], numbers: str, *, empty: str = ""
) -> dict[str, Any]:
    """Return a table for the template; `numbers` are the columns, a for the first, that stand to the right."""
    right = {ord(one) - ord("a") for one in numbers}
    return {
        "title": title,
        "head": [(name, place in right) for place, name in enumerate(head)],
        "rows": [[(text, place in right) for place, text in enumerate(row)] for row in rows],
        "empty": empty,
    }
