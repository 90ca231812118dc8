"""Pages of budgets, channels and their messages: channels are tried here, and dead messages sent again."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from analytics.alerts import managing
from analytics.alerts.sending import PORTION, deliveries_resend
from analytics.costs.budgets.service import budget_switch, current_periods
from analytics.models import Budget, BudgetAlert, BudgetPeriod, Channel, ChannelType, Delivery, DeliveryStatus
from errors.exceptions import ApiError
from observatory.accounts.admin_paging import CappedPaginator
from observatory.accounts.admin_reach import ReachAdmin, ReadOnlyAdmin, organisation_named, within_reach
from observatory.accounts.models import Organisation
from observatory.sentences import SentenceModelForm

_ACTIVATE, _DEACTIVATE = "Activate", "Deactivate"
_SWITCHED = {
    _ACTIVATE: "It is evaluated from now on, and every rise is told.",
    _DEACTIVATE: "It is evaluated no longer, and no rise is told. Its periods and alerts stay.",
}


class _TenantAdmin(ReachAdmin):
    """Rows that name their organisation by its number."""

    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(slug=organisation_named())

    @admin.display(description="organisation")
    def whose(self, row: Any) -> str:
        return str(getattr(row, "slug", row.organisation_id))

    def ask(
        self, request: HttpRequest, key: str, *, verb: str, told: str, change: Callable[[Any], str]
    ) -> HttpResponse:
        """Ask, then do what the button says to the row, and say what came of it."""
        row = self.row_of(request, key)

        def act() -> None:
            messages.success(request, change(row))
            self.log_change(request, row, f"{verb}.")

        return self.confirmed(request, row, title=f"{verb}: {row}?", told=told, verb=verb, act=act)


class _AlertInline(admin.TabularInline):
    model = BudgetAlert
    fields = readonly_fields = ("triggered_at", "severity", "message", "resolved_at")
    ordering = ("number",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  signature of Django
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class _ReadAdmin(ReadOnlyAdmin, _TenantAdmin):
    """Rows that are only read; what budgets came to is never deleted here."""


class _BudgetList(ChangeList):
    """A page of budgets, whose present periods are read at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        periods = current_periods(self.result_list, now=timezone.now())
        for budget in self.result_list:
            budget.present = periods[budget.id]


def _present(budget: Any) -> BudgetPeriod:
    if not hasattr(budget, "present"):
        budget.present = current_periods([budget], now=timezone.now())[budget.id]
    return cast("BudgetPeriod", budget.present)


@admin.register(Budget)
class BudgetAdmin(_ReadAdmin):
    """Budgets with what is spent of them: their owners make them, by the API.

    One that is no longer wanted is deactivated, and its history stays.
    """

    list_display = ("name", "whose", "amount", "period", "spent", "state", "is_active")
    list_filter = ("period", "is_active")
    search_fields = ("name",)
    ordering = ("organisation_id", "name")
    readonly_fields = ("whose", "spent", "state", "switch")

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(self.switched)
        own = [
            path(f"<path:key>/{verb.lower()}/", view, {"verb": verb}, name=f"analytics_budget_{verb.lower()}")
            for verb in _SWITCHED
        ]
        return own + super().get_urls()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ARG002  signature of Django
        return _BudgetList

    @admin.display(description="spent (requests without a price)")
    def spent(self, budget: Budget) -> str:
        period = _present(budget)
        without = f" ({period.unpriced_requests} without a price)" if period.unpriced_requests else ""
        return f"{period.spent:f}{without}"

    @admin.display(description="state")
    def state(self, budget: Budget) -> str:
        return str(_present(budget).state)

    @admin.display(description="evaluation")
    def switch(self, budget: Budget) -> str:
        verb = _DEACTIVATE if budget.is_active else _ACTIVATE
        place = reverse(f"admin:analytics_budget_{verb.lower()}", args=[budget.pk])
        return format_html('<a href="{}">{}</a>', place, verb)

    def switched(self, request: HttpRequest, key: str, verb: str) -> HttpResponse:
        """Ask, then let a budget rest, or be evaluated again."""

        def change(budget: Budget) -> str:
            request.changed_names = ["is_active"]  # type: ignore[attr-defined]  # what the audit log names
            budget_switch(budget.pk, on=verb == _ACTIVATE, now=timezone.now())
            return f"{budget.name}: {_SWITCHED[verb]}"

        return self.ask(request, key, verb=verb, told=_SWITCHED[verb], change=change)


@admin.register(BudgetPeriod)
class BudgetPeriodAdmin(_ReadAdmin):
    """Periods of budgets with their alerts."""

    list_display = ("budget", "whose", "period_start", "period_end", "amount", "spent", "state", "rises")
    list_filter = ("state",)
    list_select_related = ("budget",)
    ordering = ("-period_start", "budget_id")
    paginator = CappedPaginator
    inlines = (_AlertInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(told=Count("alerts"))

    @admin.display(description="alerts")
    def rises(self, period: BudgetPeriod) -> int:
        return int(getattr(period, "told", 0))


class ChannelForm(SentenceModelForm):
    """A channel as it is made or changed; where it leads to is not shown again."""

    organisation = forms.ModelChoiceField(Organisation.objects.all())
    type = forms.ChoiceField(choices=ChannelType.choices)
    name = forms.CharField(max_length=200)
    url = forms.CharField(max_length=2000, required=False, help_text="Of a webhook, or of what takes Slack's.")
    addresses = forms.CharField(required=False, help_text="Of an e-mail channel: separated by commas.")

    # What speaks against the URL that was sent: a name server is asked before Django's transaction begins.
    refusal: ApiError | None = None
    # Where the channel is to lead to, as it is stored; `None`: where it led to before.
    target: bytes | None = None

    class Meta:
        model = Channel
        fields = ("organisation", "type", "name", "url", "addresses", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:  # noqa: SLF001  Django's own forms look there
            for name in ("organisation", "type"):
                self.fields.pop(name, None)
            told = "Left empty, it stays as it is."
            self.fields["url"].help_text = self.fields["addresses"].help_text = told
            shown = managing.shown_target(self.instance)
            if shown is None:
                told = "It was encrypted under another SECRET_ENCRYPTION_KEY: give it anew."
                self.fields["url"].help_text = self.fields["addresses"].help_text = told
            elif self.instance.type == ChannelType.EMAIL:
                self.initial["addresses"] = ", ".join(shown)
            else:
                self.fields["url"].help_text = f"Now {shown} {told}"

    def clean_addresses(self) -> list[str]:
        found = [one.strip() for one in self.cleaned_data["addresses"].split(",") if one.strip()]
        wrong = [one for one in found if not managing.is_address(one)]
        if wrong:
            raise forms.ValidationError(f"No e-mail address: {wrong[0]}")
        return found

    def given(self) -> dict[str, Any]:
        """Return the members as the services take them: those that are empty are not given."""
        values = self.cleaned_data
        target = {name: values[name] for name in ("url", "addresses") if values[name]}
        return {name: values[name] for name in ("type", "name", "is_active") if name in values} | target

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return values
        given = self.given()
        try:
            if self.instance._state.adding:  # noqa: SLF001  as above
                managing.check_name(values["organisation"].pk, given["name"])
                self.target = managing.target_of(given["type"], given)
            else:
                managing.check_name(self.instance.organisation_id, given["name"], but=self.instance.pk)
                self.target = managing.changed_target(self.instance, given)
            if self.refusal is not None and "url" in given:
                raise self.refusal
        except ApiError as problem:
            self.add_error(None, problem)
        return values


@admin.register(Channel)
class ChannelAdmin(_TenantAdmin):
    """Channels of organisations. Each has a button that sends a test through it."""

    form = ChannelForm
    list_display = ("name", "whose", "type", "is_active", "waiting", "dead", "try_it")
    list_filter = ("type", "is_active")
    search_fields = ("name",)
    ordering = ("organisation_id", "name")

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> Any:  # noqa: ARG002  Django's signature
        if obj is None:
            return ChannelForm.Meta.fields
        return ("whose", "type", *ChannelForm.Meta.fields[2:], "waiting", "dead", "try_it")

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> Any:  # noqa: ARG002
        return () if obj is None else ("whose", "type", "waiting", "dead", "try_it")

    def get_form(self, request: HttpRequest, obj: Channel | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        own: dict[str, Any] = {"refusal": getattr(request, "refusal", None)}
        if obj is None:
            own["organisation"] = forms.ModelChoiceField(
                within_reach(request, Organisation.objects.order_by("slug"), "pk")
            )
        return type("OwnChannelForm", (form,), own)

    def get_queryset(self, request: HttpRequest) -> Any:
        return managing.with_messages(super().get_queryset(request))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask a name server about the URL that was sent, before the transaction in which Django judges a form."""
        url = request.POST.get("url", "").strip()
        if url and (self.has_add_permission(request) or self.has_change_permission(request)):
            try:
                managing.check_receiver(url)
            except ApiError as problem:
                request.refusal = problem  # type: ignore[attr-defined]  # `get_form` hands it on
        return super().changeform_view(request, *args, **kwargs)

    def get_urls(self) -> Any:
        own = [path("<path:key>/test/", self.admin_site.admin_view(self.test), name="analytics_channel_test")]
        return own + super().get_urls()

    @admin.display(description="waiting messages")
    def waiting(self, channel: Any) -> int:
        return int(channel.pending_messages)

    @admin.display(description="dead messages")
    def dead(self, channel: Any) -> str:
        count = channel.dead_messages
        dead = f"?status__exact={DeliveryStatus.DEAD}&channel__id__exact={channel.pk}"
        return format_html('<a href="{}{}">{}</a>', reverse("admin:analytics_delivery_changelist"), dead, count)

    @admin.display(description="test")
    def try_it(self, channel: Channel) -> str:
        return format_html('<a href="{}">Send a test</a>', reverse("admin:analytics_channel_test", args=[channel.pk]))

    def save_model(self, request: HttpRequest, obj: Channel, form: forms.ModelForm, change: bool) -> None:
        assert isinstance(form, ChannelForm)
        now = timezone.now()
        if change:
            present = get_object_or_404(Channel.objects.select_for_update(), pk=obj.pk)
            managing.channel_change(present, form.given(), target=form.target, now=now)
            return
        assert form.target is not None, "a form without a target is not valid"
        organisation = form.cleaned_data["organisation"]
        channel, secret = managing.channel_create(
            organisation_id=organisation.pk,
            organisation_uuid=organisation.public_id,
            given=form.given(),
            target=form.target,
            now=now,
        )
        vars(obj).update(vars(channel))
        if secret is not None:
            messages.success(request, f"The signing secret of {channel.name}, shown this once: {secret}")

    def test(self, request: HttpRequest, key: str) -> HttpResponse:
        """Ask, then send a message that says that the channel works."""

        def change(channel: Channel) -> str:
            managing.channel_test(channel, now=timezone.now())
            return f"A test goes to {channel.name}; its deliveries tell what came of it."

        told = "The channel's receivers get a message that says that it works."
        return self.ask(request, key, verb="Send a test", told=told, change=change)


@admin.register(Delivery)
class DeliveryAdmin(_ReadAdmin):
    """Messages and what came of them. Dead ones are sent again from here, under their old id."""

    may_delete = True
    list_display = ("created_at", "whose", "channel", "kind", "subject", "status", "attempts", "last_error")
    list_filter = ("status", "kind")
    list_select_related = ("channel",)
    ordering = ("-created_at", "-id")
    paginator = CappedPaginator
    fields = (
        "whose", "channel", "kind", "key", "subject", "text", "data", "status", "attempts", "next_attempt_at",
        "last_error", "created_at", "ended_at", "again",
    )  # fmt: skip
    readonly_fields = ("whose", "again")
    actions = ("resend_all",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "channel__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]  # stubs ask for a request

    def get_urls(self) -> Any:
        own = [path("<path:key>/resend/", self.admin_site.admin_view(self.resend), name="analytics_delivery_resend")]
        return own + super().get_urls()

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Who may change messages may send them again."""
        return self.may_press(request)

    @admin.display(description="send again")
    def again(self, delivery: Delivery) -> str:
        if delivery.status != DeliveryStatus.DEAD:
            return "-"
        return format_html(
            '<a href="{}">Send again</a>', reverse("admin:analytics_delivery_resend", args=[delivery.pk])
        )

    @admin.action(description="Send the dead ones of these again", permissions=["resend"])
    def resend_all(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        count = deliveries_resend(rows, now=timezone.now())
        messages.success(request, f"{count} messages wait to be sent again.")
        if count == PORTION:
            messages.warning(request, f"No more than {PORTION} are sent again at once: ask again for the others.")

    def resend(self, request: HttpRequest, key: str) -> HttpResponse:
        """Ask, then let the worker try a dead message anew."""

        def change(delivery: Delivery) -> str:
            revived = deliveries_resend(Delivery.objects.filter(pk=delivery.pk), now=timezone.now())
            return "The message waits to be sent again." if revived else "The message is not dead: it is left alone."

        told = "The worker tries it anew, under the id that it had."
        return self.ask(request, key, verb="Send again", told=told, change=change)
