"""The forms of what operators do: each says the words of its command, and whose rows that is about."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from analytics.models import CostRun
from analytics.queries.timerange import Window, resolve
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.storage.engines.compression import LEAST_DAYS, MOST_DAYS
from analytics.storage.holds import hold_list
from analytics.storage.retention import KINDS, LONGEST_DAYS
from analytics.storage.retention import LEAST_DAYS as LEAST_KEPT_DAYS
from errors.exceptions import ApiError
from errors.json import rfc3339
from observatory.accounts.admin_reach import organisations_of, within_reach
from observatory.accounts.models import Organisation, Project
from observatory.admin.runs import runs_in_reach
from observatory.sentences import SentenceForm

Commands = list[list[str]]
_TEXT = 500


class OperationForm(SentenceForm):
    """What a command is told. `commands` are its words; `organisation` is whose rows they are about, `None`: all."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def commands(self) -> Commands:
        """Return the words of what is to be run, without `--dry-run`."""
        raise NotImplementedError  # each form of `OPERATIONS` says it

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
        whole = [*command, f"--from={rfc3339(start)}", f"--to={rfc3339(end)}"]
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
        return [(hold["of"], hold["of"]) for hold in holds()]


class CompressionSetForm(OperationForm):
    after_days = forms.IntegerField(
        label="After days", min_value=LEAST_DAYS, max_value=MOST_DAYS, help_text="The age at which days are compressed."
    )

    def commands(self) -> Commands:
        return [["compression", "set", f"--after-days={self.cleaned_data['after_days']}"]]


def holds() -> list[dict[str, Any]]:
    """Return of whom each legal hold is, by slugs, since when, and why."""
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
            "since": one.placed_at,
            "reason": one.reason,
        }
        for one in hold_list()
    ]
