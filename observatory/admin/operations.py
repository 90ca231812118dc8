"""What operators do with commands, as pages: the state, a form for each command, the run that the worker makes of it.

A command that changes something is run with `--dry-run` first; what it says is shown, and a button runs it for good.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from analytics.models import CostRun
from analytics.queries.timerange import Window, resolve
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage.engines import NotOnThisEngineError, engine
from analytics.storage.engines.compression import LEAST_DAYS, MOST_DAYS, after_days, due, stored_days
from analytics.storage.horizons import EVER, horizons_of
from analytics.storage.retention import KINDS, LONGEST_DAYS, hold_list, limits_read
from analytics.storage.retention import LEAST_DAYS as LEAST_KEPT_DAYS
from analytics.storage.sizes import rollup_states
from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.accounts.admin_reach import organisations_of, within_reach
from observatory.accounts.models import Organisation, Project
from observatory.admin.runs import runs_in_reach
from observatory.admin_site import NAMES, is_superuser, shown
from observatory.management.operating import size
from observatory.operations import Run, operation_begin, operation_find
from observatory.policies import policies
from observatory.sentences import SentenceForm

Commands = list[list[str]]
_TEXT = 500
_RUNS = "analytics_costrun_changelist"


# --- forms ------------------------------------------------------------------------------------------------------------
class OperationForm(SentenceForm):
    """What a command is told. `commands` are its words; `organisation` is whose rows they are about, `None`: all."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def commands(self) -> Commands:
        """Return the words of what is to be run, without `--dry-run`."""
        raise NotImplementedError

    def organisation(self) -> Organisation | None:
        """Return whose rows are changed; `None` where it is everybody's."""
        return None


class RangeForm(OperationForm):
    """A range of time, and the projects it is about: one, those of an organisation, or all."""

    start = forms.CharField(label="From", max_length=_TEXT, help_text="A date, a time with its offset, or now-30d.")
    end = forms.CharField(label="To", max_length=_TEXT, required=False, help_text="Not included; empty: now.")
    project = forms.ChoiceField(label="Projects", required=False)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.projects = list(
            within_reach(request, Project.objects.select_related("organisation"), "organisation_id")
            .order_by("organisation__slug", "slug")
        )  # fmt: skip
        several = {one.organisation.slug: one.organisation for one in self.projects}
        choices = [("", "every project")] if organisations_of(request) is None else []
        for slug in several:
            mine = [one for one in self.projects if one.organisation.slug == slug]
            choices.append((slug, f"{slug}: every project"))
            choices += [(str(one), str(one)) for one in mine]
        cast("forms.ChoiceField", self.fields["project"]).choices = choices
        self.fields["project"].required = organisations_of(request) is not None

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if "start" in values and "end" in values:
            window = Window(default=timedelta(days=1), longest=timedelta(days=LONGEST_DAYS), grid=60)
            try:
                found = resolve(
                    values["start"], values["end"] or None, window=window, clock=timezone.now(), names=("start", "end")
                )
            except ApiError as problem:
                self.add_error(problem.field or "start", problem)
            else:
                values["range"] = (found.start, found.end)
        return values

    def chosen(self) -> list[Project]:
        """Return the projects that were named; none: all."""
        wanted = self.cleaned_data["project"]
        return [one for one in self.projects if wanted in (str(one), one.organisation.slug)] if wanted else []

    def organisation(self) -> Organisation | None:
        found = self.chosen()
        return found[0].organisation if found else None

    def words(self, *command: str) -> Commands:
        """Return `command` for the range, once for each project that was named."""
        start, end = self.cleaned_data["range"]
        whole = [*command, f"--from={_iso(start)}", f"--to={_iso(end)}"]
        return [[*whole, f"--project={one}"] for one in self.chosen()] or [whole]


class RepriceForm(RangeForm):
    provider = forms.CharField(max_length=_TEXT, required=False, help_text="As spans name it; empty: every provider.")
    model = forms.CharField(max_length=_TEXT, required=False, help_text="The whole name; empty: every model.")
    field_order = ("provider", "model", "start", "end", "project")

    def commands(self) -> Commands:
        given = [f"--{name}={self.cleaned_data[name]}" for name in ("provider", "model") if self.cleaned_data[name]]
        return [[*one, *given] for one in self.words("recompute_costs")]


class UndoForm(OperationForm):
    run = forms.ModelChoiceField(CostRun.objects.none(), help_text="Its spans get the costs from before it.")

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        cast("forms.ModelChoiceField", self.fields["run"]).queryset = runs_in_reach(request).order_by("-id")

    def commands(self) -> Commands:
        return [["recompute_costs", f"--undo={self.cleaned_data['run'].pk}"]]

    def organisation(self) -> Organisation | None:
        number = self.cleaned_data["run"].project_id
        return Organisation.objects.filter(projects=number).first() if number else None


class AggregatesForm(RangeForm):
    granularity = forms.ChoiceField(
        choices=[("", "all"), *((one, one) for one in GRAIN_WIDTHS)], required=False, help_text="Width of the buckets."
    )
    field_order = ("granularity", "start", "end", "project")
    action = ""

    def commands(self) -> Commands:
        grain = self.cleaned_data["granularity"]
        return self.words("aggregates", self.action, *([f"--granularity={grain}"] if grain else []))


class RefreshForm(AggregatesForm):
    action = "refresh"


class RebuildForm(AggregatesForm):
    action = "rebuild"


class VerifyForm(AggregatesForm):
    action = "verify"


class PlainForm(OperationForm):
    """A command that is told nothing."""

    argv: Sequence[str] = ()

    def commands(self) -> Commands:
        return [list(self.argv)]


class RetentionApplyForm(PlainForm):
    argv = ("retention", "apply")


class CompressionApplyForm(PlainForm):
    argv = ("compression", "apply")


class LimitForm(OperationForm):
    kind = forms.ChoiceField(choices=[(kind.key, kind.key.replace("_", " ")) for kind in KINDS])
    days = forms.IntegerField(min_value=LEAST_KEPT_DAYS, max_value=LONGEST_DAYS)
    project = forms.ModelChoiceField(
        queryset=Project.objects.select_related("organisation").order_by("organisation__slug", "slug"),
        required=False,
        empty_label="everybody",
        help_text="Content and spans of one project may be kept for a shorter time.",
    )

    def commands(self) -> Commands:
        values = self.cleaned_data
        of = [f"--project={values['project']}"] if values["project"] else []
        return [["retention", "set", values["kind"], str(values["days"]), *of]]

    def organisation(self) -> Organisation | None:
        project = self.cleaned_data["project"]
        return project.organisation if project else None


class HoldForm(OperationForm):
    of = forms.ChoiceField(label="Of")
    change = ""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        cast("forms.ChoiceField", self.fields["of"]).choices = self.choices()

    @staticmethod
    def choices() -> list[tuple[str, str]]:
        """Return what a hold can be placed on: organisations and projects."""
        choices = []
        for one in Organisation.objects.order_by("slug").prefetch_related("projects"):
            choices.append((one.slug, f"{one.slug}: every project"))
            choices += [(f"{one.slug}/{project.slug}",) * 2 for project in one.projects.all()]
        return choices

    def commands(self) -> Commands:
        organisation, _, project = self.cleaned_data["of"].partition("/")
        words = ["retention", "hold", self.change, f"--organisation={organisation}"]
        return [[*words, *([f"--project={project}"] if project else [])]]

    def organisation(self) -> Organisation | None:
        return Organisation.objects.filter(slug=self.cleaned_data["of"].partition("/")[0]).first()


class HoldAddForm(HoldForm):
    reason = forms.CharField(max_length=_TEXT, help_text="Whoever removes it must know why it was placed.")
    change = "add"

    def commands(self) -> Commands:
        return [[*super().commands()[0], f"--reason={self.cleaned_data['reason']}"]]


class HoldRemoveForm(HoldForm):
    change = "remove"

    @staticmethod
    def choices() -> list[tuple[str, str]]:
        return [(hold["of"], hold["of"]) for hold in _holds()]


class CompressionSetForm(OperationForm):
    after_days = forms.IntegerField(
        label="After days", min_value=LEAST_DAYS, max_value=MOST_DAYS, help_text="The age at which days are compressed."
    )

    def commands(self) -> Commands:
        return [["compression", "set", f"--after-days={self.cleaned_data['after_days']}"]]


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


# --- what can be done -------------------------------------------------------------------------------------------------
def may_reprice(request: HttpRequest) -> bool:
    """Return whether a member of staff may price spans anew."""
    return request.user.has_perm("analytics.add_costrun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One command as a page: what it does, its form, who may, the page it belongs to, whether it only reads."""

    title: str
    verb: str
    about: str
    form: type[OperationForm]
    back: str
    may: Callable[[HttpRequest], bool] = is_superuser
    reads: bool = False

    @property
    def place(self) -> str:
        """The name of the page that it belongs to."""
        return NAMES["CostRun"] if self.back == _RUNS else self.back.capitalize()


OPERATIONS: Mapping[str, Operation] = {
    "recompute-costs": Operation(
        title="Price stored spans anew",
        verb="Price anew",
        about="Spans get the costs that the price book has for them now. A run can be undone.",
        form=RepriceForm,
        back=_RUNS,
        may=may_reprice,
    ),
    "undo-costs": Operation(
        title="Undo a run",
        verb="Undo",
        about="Every span of the run gets back the cost that it had before.",
        form=UndoForm,
        back=_RUNS,
        may=may_reprice,
    ),
    "refresh-aggregates": Operation(
        title="Refresh aggregates",
        verb="Refresh",
        about="Marked buckets are made anew now. The worker does it every few seconds.",
        form=RefreshForm,
        back="aggregates",
    ),
    "rebuild-aggregates": Operation(
        title="Rebuild aggregates",
        verb="Rebuild",
        about="All buckets of a range are made anew from spans.",
        form=RebuildForm,
        back="aggregates",
    ),
    "verify-aggregates": Operation(
        title="Verify aggregates",
        verb="Verify",
        about="Buckets of a range are compared with their spans; nothing is changed.",
        form=VerifyForm,
        back="aggregates",
        reads=True,
    ),
    "apply-retention": Operation(
        title="Free what is past its limit",
        verb="Free",
        about="What is past its limit and under no legal hold is dropped. The worker does it every hour.",
        form=RetentionApplyForm,
        back="retention",
    ),
    "set-retention": Operation(
        title="Change a limit",
        verb="Change",
        about="How long a kind of data is kept, by everybody or by one project.",
        form=LimitForm,
        back="retention",
    ),
    "add-hold": Operation(
        title="Place a legal hold",
        verb="Place",
        about="Nothing under a hold is dropped.",
        form=HoldAddForm,
        back="retention",
    ),
    "remove-hold": Operation(
        title="Remove a legal hold",
        verb="Remove",
        about="What it kept and is past its limit goes with the next run of retention.",
        form=HoldRemoveForm,
        back="retention",
    ),
    "apply-compression": Operation(
        title="Compress the days that are due",
        verb="Compress",
        about="Days that are old enough go into the columnstore. The worker does it every night.",
        form=CompressionApplyForm,
        back="compression",
    ),
    "set-compression": Operation(
        title="Change the age of compression",
        verb="Change",
        about="From which age on days are compressed.",
        form=CompressionSetForm,
        back="compression",
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def operation(request: HttpRequest, key: str) -> HttpResponse:
    """Show the form of a command; take it, and show first what it would do."""
    found = OPERATIONS.get(key)
    if found is None:
        raise Http404
    if not found.may(request):
        raise PermissionDenied
    if request.method == "POST":
        form = found.form(request, request.POST)
        if form.is_valid():
            organisation = form.organisation()
            begun = operation_begin(
                operation=key,
                commands=form.commands(),
                dry_run=not found.reads,
                user_id=str(request.user.pk),
                organisation_id=organisation.pk if organisation else None,
            )
            return HttpResponseRedirect(reverse("admin:run", args=[begun.id]))
    else:
        form = found.form(request, initial={name: value for name, value in request.GET.items() if value})
    return shown(
        request,
        "operation.html",
        title=found.title,
        operation=found,
        form=form,
        verb=found.verb if found.reads else "Show what it would do",
        back=reverse(f"admin:{found.back}"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show how far a run is and what it said; from one that only showed what it would do, begin it for good."""
    user_id = str(request.user.pk)
    found = operation_find(run_id, user_id=user_id)
    if found is None or found.operation not in OPERATIONS:
        raise Http404
    about = OPERATIONS[found.operation]
    may = about.may(request) and _still_in_reach(request, found)
    if request.method == "POST":
        if not (may and found.dry_run and found.is_done):
            raise PermissionDenied
        begun = operation_begin(
            operation=found.operation,
            commands=found.commands,
            dry_run=False,
            user_id=user_id,
            organisation_id=found.organisation_id,
        )
        audit.describe(
            request,
            action="update",
            resource_type="operation",
            resource_id=found.operation,
            organisation_id=found.organisation_id,
            user_id=user_id,
            changes=[shlex.join(words) for words in found.commands],
        )
        return HttpResponseRedirect(reverse("admin:run", args=[begun.id]))
    return shown(
        request,
        "run.html",
        title=about.title,
        run=found,
        operation=about,
        commands=[f"python manage.py {shlex.join(words)}" for words in found.words],
        may=may and found.dry_run and found.is_done,
        again=reverse("admin:operation", args=[found.operation]),
        back=reverse(f"admin:{about.back}"),
    )


def _still_in_reach(request: HttpRequest, run: Run) -> bool:
    reach = organisations_of(request)
    return reach is None or run.organisation_id in reach


# --- states -----------------------------------------------------------------------------------------------------------
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
    holds = [[one["of"], one["since"], one["reason"]] for one in _holds()]
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
            _table("Legal holds", ("Of", "Since", "Reason"), holds, "", empty="There are none."),
        ],
    )


def _holds() -> list[dict[str, str]]:
    organisations = dict(Organisation.objects.values_list("pk", "slug"))
    projects = dict(Project.objects.values_list("pk", "slug"))
    return [
        {
            "of": "/".join(
                [
                    organisations.get(one.organisation_id, str(one.organisation_id)),
                    *([projects.get(one.project_id, str(one.project_id))] if one.project_id else []),
                ]
            ),
            "since": _when(one.placed_at),
            "reason": one.reason,
        }
        for one in hold_list()
    ]


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


def reprice_link(**given: str) -> str:
    """Return the link to the form of re-pricing, filled in."""
    return f"{reverse('admin:operation', args=['recompute-costs'])}?{urlencode(given)}"
