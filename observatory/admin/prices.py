"""Pages of the price book: rows to be read, a form for new ones, and the runs that re-priced spans."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from analytics.costs.price_book import adding_prices
from analytics.costs.price_files import TIERS
from analytics.ingest.prices import EVERYBODY
from analytics.ingest.readers import provider as one_name
from analytics.models import CostRun, ModelPrice
from analytics.pricing.book import MOST_RATE, RATES
from analytics.storage.cost_reports import differences_of
from observatory.accounts.admin_reach import (
    ReachAdmin,
    ReadOnlyAdmin,
    organisation_named,
    organisations_of,
    project_named,
)
from observatory.accounts.models import Organisation
from observatory.admin.operations import may_reprice, reprice_link
from observatory.admin.runs import runs_in_reach
from observatory.admin_site import NAMES
from observatory.management.operating import difference_lines
from observatory.sentences import SentenceModelForm

_KEY = ("provider", "model_pattern", "service_tier", "min_prompt_tokens", "valid_from", "valid_to")


def _rate(name: str) -> forms.DecimalField:
    return forms.DecimalField(
        min_value=0,
        max_value=MOST_RATE,
        max_digits=18,
        decimal_places=9,
        required=name in {"input", "output"},
        help_text="US dollars for each call." if name == "per_request" else "US dollars per million tokens.",
    )


class PriceForm(SentenceModelForm):
    """A new row; what it corrects stays, and holds no longer."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.all(), required=False, empty_label="everybody", help_text="Its own rows win."
    )
    provider = forms.CharField(max_length=500, help_text="As spans name it, such as openai.")
    model_pattern = forms.CharField(max_length=500, help_text="Name of a model, or a glob: *, ?, [...].")
    service_tier = forms.ChoiceField(choices=[(tier, tier) for tier in TIERS])
    min_prompt_tokens = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, initial=0, help_text="The row is for longer prompts than this."
    )
    valid_from = forms.SplitDateTimeField(widget=AdminSplitDateTime, help_text="UTC.")
    valid_to = forms.SplitDateTimeField(
        widget=AdminSplitDateTime,
        required=False,
        help_text="UTC, not included. The same as valid from withdraws what is corrected.",
    )

    class Meta:
        model = ModelPrice
        fields = (*_KEY, *RATES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update({name: _rate(name) for name in RATES if name in self.fields})

    def clean_provider(self) -> str:
        name: str = self.cleaned_data["provider"]
        return one_name(name) or name

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = values.get("valid_from"), values.get("valid_to")
        if isinstance(start, datetime) and isinstance(end, datetime) and end < start:
            raise forms.ValidationError({"valid_to": "A price cannot end before it begins."})
        return values


@admin.register(ModelPrice)
class ModelPriceAdmin(ReadOnlyAdmin, ReachAdmin):
    """Rows never change. A correction is a new row, begun from the one it corrects."""

    form = PriceForm
    may_add = True
    resource = "price"
    show_full_result_count = False
    list_display = (
        "provider", "model_pattern", "service_tier", "min_prompt_tokens", "valid_from", "valid_to", "input", "output",
        "whose", "source",
    )  # fmt: skip
    list_filter = ("provider", "service_tier")
    search_fields = ("provider", "model_pattern")
    ordering = ("provider", "model_pattern", "service_tier", "min_prompt_tokens", "valid_from", "id")
    fields = ("organisation", *_KEY, *RATES)

    def get_queryset(self, request: HttpRequest) -> Any:
        reach, rows = organisations_of(request), admin.ModelAdmin.get_queryset(self, request)
        seen = rows if reach is None else rows.filter(organisation_id__in=[EVERYBODY, *reach])
        return seen.annotate(slug=organisation_named())

    def get_form(self, request: HttpRequest, obj: ModelPrice | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None and (reach := organisations_of(request)) is not None:
            # Prices of everybody are up to superusers.
            field = forms.ModelChoiceField(Organisation.objects.filter(pk__in=reach), help_text="Its own rows win.")
            return type("OwnPriceForm", (form,), {"organisation": field})
        return form

    def get_fields(self, request: HttpRequest, obj: ModelPrice | None = None) -> Any:  # noqa: ARG002  Django's
        return self.fields if obj is None else ("whose", *_KEY, *RATES, "source", "created_at", "correction")

    def get_readonly_fields(self, request: HttpRequest, obj: ModelPrice | None = None) -> Any:  # noqa: ARG002
        return () if obj is None else ("whose", "created_at", "correction")

    @admin.display(description="whose")
    def whose(self, price: ModelPrice) -> str:
        if price.organisation_id == EVERYBODY:
            return "everybody's"
        return str(getattr(price, "slug", price.organisation_id))

    @admin.display(description="correction")
    def correction(self, price: ModelPrice) -> str:
        return format_html(
            '<a href="{}?corrects={}">Add a correction</a>', reverse("admin:analytics_modelprice_add"), price.pk
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        number = request.GET.get("corrects", "")
        seen = self.get_queryset(request)  # a number of another organisation's price shows nothing of it
        known = seen.filter(pk=int(number)).first() if number.isascii() and number.isdigit() else None
        if known is None:
            return self._unpriced(request)
        return {name: getattr(known, name) for name in (*_KEY, *RATES)} | {"organisation": known.organisation_id}

    @staticmethod
    def _unpriced(request: HttpRequest) -> dict[str, Any]:
        """Return what a link from the models without a price says of the new one."""
        given = {"provider": request.GET.get("provider", ""), "model_pattern": request.GET.get("model", "")}
        found = Organisation.objects.filter(slug=request.GET.get("of", "")).first()
        first = _day(request.GET.get("first_seen", ""))
        return {**given, **({"organisation": found.pk} if found else {}), **({"valid_from": first} if first else {})}

    def response_add(self, request: HttpRequest, obj: ModelPrice, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to pricing the spans anew that wait for this price, if it was added for a model without one."""
        first, model = _day(request.GET.get("first_seen", "")), request.GET.get("model", "")
        if not (first and model and "_save" in request.POST and may_reprice(request)):
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, "The price is in the book. Spans that are stored get it when they are priced anew.")
        link = reprice_link(
            provider=obj.provider, model=model, start=f"{first:%Y-%m-%d}", project=request.GET.get("of", "")
        )
        return HttpResponseRedirect(link)

    def save_model(self, request: HttpRequest, obj: ModelPrice, form: forms.ModelForm, change: bool) -> None:
        organisation = form.cleaned_data["organisation"]
        obj.organisation_id = EVERYBODY if organisation is None else organisation.pk
        obj.source = f"admin: {request.user.get_username()}"
        with adding_prices():
            super().save_model(request, obj, form, change)
        if "first_seen" not in request.GET:
            told = 'Stored spans keep their costs until they are <a href="{}">priced anew</a>.'
            link = reprice_link(provider=obj.provider, start=f"{obj.valid_from:%Y-%m-%d}")
            messages.info(request, format_html(told, link))


def _day(text: str) -> datetime | None:
    """Return the midnight of a time that a link has from us."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@admin.register(CostRun)
class CostRunAdmin(ReadOnlyAdmin):
    """Re-pricings: what each changed, by day and model; a new one is begun and an old one undone from here."""

    list_display = (
        "id", "state", "whose", "start_time", "end_time", "provider", "model", "spans_changed", "started_at",
    )  # fmt: skip
    ordering = ("-id",)
    show_full_result_count = False
    change_list_template = "admin/runs.html"
    fields = (
        "state", "whose", "start_time", "end_time", "provider", "model", "spans_seen", "spans_changed", "started_at",
        "finished_at", "difference", "undo",
    )  # fmt: skip
    readonly_fields = ("whose", "started_at", "difference", "undo")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CostRun]:
        return runs_in_reach(request).order_by("-id").annotate(named=project_named())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        link = reprice_link() if may_reprice(request) else ""
        return super().changelist_view(request, {**(extra_context or {}), "title": NAMES["CostRun"], "reprice": link})

    @admin.display(description="projects")
    def whose(self, run: CostRun) -> str:
        if run.project_id is None:
            return "every project"
        return str(getattr(run, "named", run.project_id))

    @admin.display(description="difference")
    def difference(self, run: CostRun) -> str:
        lines = difference_lines(differences_of(run.pk))
        return format_html('<pre class="said">{}</pre>', "\n".join(lines)) if lines else "nothing changed"

    @admin.display(description="undo")
    def undo(self, run: CostRun) -> str:
        if run.state == CostRun.State.UNDONE:
            return "undone already"
        return format_html(
            '<a href="{}?run={}">Undo this run</a>', reverse("admin:operation", args=["undo-costs"]), run.pk
        )
