"""API keys in the admin: made, rotated, revoked by the services of the API. A secret is shown once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from observatory.accounts.admin_reach import ReachAdmin
from observatory.accounts.keys import NewKey, api_key_create, api_key_revoke, api_key_rotate
from observatory.accounts.models import ApiKey, User
from observatory.accounts.roles import PERMISSIONS, expand
from observatory.sentences import SentenceModelForm


class KeyForm(SentenceModelForm):
    """A key as it is made or changed; its permissions are chosen from those that there are."""

    permissions = forms.MultipleChoiceField(choices=[(one, one) for one in sorted(PERMISSIONS)])

    class Meta:
        model = ApiKey
        fields = ("organisation", "name", "projects", "permissions", "rate_limit_tier", "allowed_ips", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.permissions:
            self.initial["permissions"] = sorted(expand(self.instance.permissions))

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        organisation = values.get("organisation") or getattr(self.instance, "organisation", None)
        if any(one.organisation_id != organisation.pk for one in values.get("projects") or () if organisation):
            raise forms.ValidationError({"projects": "Choose projects of the key's organisation."})
        return values


@admin.register(ApiKey)
class ApiKeyAdmin(ReachAdmin):
    """Keys of organisations. Environment and signing are fixed when a key is made."""

    form = KeyForm
    resource = "key"
    list_display = ("name", "prefix", "organisation", "rate_limit_tier", "state", "expires_at", "revoked_at")
    list_filter = ("organisation",)
    list_select_related = ("organisation",)
    search_fields = ("name", "prefix")
    filter_horizontal = ("projects",)
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:  # noqa: ARG002  Django's signature
        return (
            KeyForm.Meta.fields if obj is None else (*KeyForm.Meta.fields, "prefix", "state", "created_by", "secrets")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:  # noqa: ARG002
        return () if obj is None else ("organisation", "prefix", "state", "created_by", "secrets")

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.revoked_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:  # noqa: ARG002
        return False  # a key is revoked, and stays to be read in the audit log

    def get_urls(self) -> Any:
        own = [
            path("<path:key_id>/rotate/", self.admin_site.admin_view(self.rotate), name="accounts_apikey_rotate"),
            path("<path:key_id>/revoke/", self.admin_site.admin_view(self.revoke), name="accounts_apikey_revoke"),
        ]
        return own + super().get_urls()

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        return key.status(now=timezone.now())

    @admin.display(description="secrets")
    def secrets(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return "revoked"
        return format_html(
            '<a href="{}">Rotate</a> · <a href="{}">Revoke</a>',
            reverse("admin:accounts_apikey_rotate", args=[key.pk]),
            reverse("admin:accounts_apikey_revoke", args=[key.pk]),
        )

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        if change:
            obj.row_version += 1
            super().save_model(request, obj, form, change)
            return
        values = form.cleaned_data
        made = api_key_create(
            organisation=values["organisation"],
            name=values["name"],
            projects=list(values["projects"]),
            permissions=values["permissions"],
            tier=values["rate_limit_tier"],
            allowed_ips=values["allowed_ips"],
            expires_at=values["expires_at"],
            created_by=request.user if isinstance(request.user, User) else None,
        )
        form.instance = made.key
        vars(obj).update(vars(made.key))
        self._show(request, made)

    def rotate(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Ask, then give the key new secrets; the old one works for the overlap."""
        hours = settings.KEY_ROTATION_OVERLAP_SECONDS // 3600

        def act(key: ApiKey) -> None:
            overlap = timedelta(seconds=settings.KEY_ROTATION_OVERLAP_SECONDS)
            self._show(request, api_key_rotate(key=key, overlap=overlap, now=timezone.now()))

        told = f"The key gets a new secret, which is shown once. The old one works for {hours} more hours."
        return self._ask(request, key_id, "Rotate", told, act)

    def revoke(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Ask, then end the key."""

        def act(key: ApiKey) -> None:
            api_key_revoke(key=key, now=timezone.now())
            messages.success(request, f"{key.name} is revoked: nothing takes it any more.")

        told = "Every secret of the key, and every token made from it, ends at once and for good."
        return self._ask(request, key_id, "Revoke", told, act)

    def may_press(self, request: HttpRequest, row: Any = None) -> bool:
        return self.has_change_permission(request, row)

    def _ask(
        self, request: HttpRequest, key_id: str, verb: str, told: str, change: Callable[[ApiKey], None]
    ) -> HttpResponse:
        key = self.row_of(request, key_id)

        def act() -> None:
            change(key)
            self.log_change(request, key, f"{verb}d.")

        return self.confirmed(request, key, title=f"{verb} {key}?", told=told, verb=verb, act=act)

    @staticmethod
    def _show(request: HttpRequest, made: NewKey) -> None:
        messages.success(request, f"The secret of {made.key.name}, shown this once: {made.secret}")
        if made.signing_secret:
            messages.success(request, f"Its signing secret, shown this once: {made.signing_secret}")
