"""What operators do with commands, as pages: a form for each command, and the run that the worker makes of it.

A command that changes something is run with `--dry-run` first; what it says is shown, and a button runs it for good.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from observatory.accounts import audit
from observatory.accounts.admin_reach import organisations_of
from observatory.admin.operation_forms import (
    CompressionApplyForm,
    CompressionSetForm,
    HoldAddForm,
    HoldRemoveForm,
    LimitForm,
    OperationForm,
    RebuildForm,
    RefreshForm,
    RepriceForm,
    RetentionApplyForm,
    UndoForm,
    VerifyForm,
)
from observatory.admin_site import NAMES, is_superuser, shown
from observatory.operations import Run, operation_begin, operation_find

_RUNS = "analytics_costrun_changelist"


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


def reprice_link(**given: str) -> str:
    """Return the link to the form of re-pricing, filled in."""
    return f"{reverse('admin:operation', args=['recompute-costs'])}?{urlencode(given)}"
