from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from analytics.registry.redaction import CONTENT_CAPTURES
from errors.exceptions import ApiError
from observatory.accounts.models import ApiKey, AuditEntry, Membership, Organisation, Project, User
from observatory.accounts.redaction import read_redaction, read_scopes

admin.site.site_header = admin.site.site_title = "LLM Observatory"


@admin.register(User)
class MemberAdmin(UserAdmin):
    """Users are disabled, not deleted: tokens of a known user die with it, those of a stranger live on."""

    def has_delete_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False


class VersionedAdmin(admin.ModelAdmin):
    """What is changed here has another row version, which clients compare before they change it."""

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        obj.row_version += 1 if change else 0
        super().save_model(request, obj, form, change)


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):
    list_display = ("slug", "name", "public_id", "created_at")
    search_fields = ("slug", "name")


class ProjectForm(forms.ModelForm):
    """A project's settings, held to what the API holds them to; a box left empty is what new projects begin with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("content_capture", "redaction"):
            self.fields[name].required = False

    def clean_content_capture(self) -> str:
        return self.cleaned_data["content_capture"] or CONTENT_CAPTURES[0]

    def clean_redaction(self) -> Any:
        return _read(read_redaction, self.cleaned_data["redaction"] or {})

    def clean_usage_exclusive_scopes(self) -> Any:
        return _read(read_scopes, self.cleaned_data["usage_exclusive_scopes"])


def _read(reader: Callable[[Any], Any], value: Any) -> Any:
    try:
        return reader(value)
    except ApiError as problem:
        raise forms.ValidationError(": ".join(filter(None, (problem.message, problem.details)))) from None


@admin.register(Project)
class ProjectAdmin(VersionedAdmin):
    form = ProjectForm
    list_display = ("slug", "organisation", "name", "is_public", "public_id")
    list_filter = ("organisation", "is_public")
    list_select_related = ("organisation",)
    search_fields = ("slug", "name")


@admin.register(Membership)
class MembershipAdmin(VersionedAdmin):
    list_display = ("user", "organisation", "role")
    list_filter = ("organisation", "role")
    list_select_related = ("user", "organisation")
    filter_horizontal = ("projects",)


@admin.register(ApiKey)
class ApiKeyAdmin(VersionedAdmin):
    """Keys are made by the service, which shows their secret once; here they are seen, limited and revoked."""

    list_display = ("name", "prefix", "organisation", "rate_limit_tier", "expires_at", "revoked_at")
    list_filter = ("organisation",)
    list_select_related = ("organisation",)
    readonly_fields = ("prefix", "created_by")

    def has_add_permission(self, request: object) -> bool:  # noqa: ARG002  signature of Django
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """The audit log of every organisation, and failed sign-ins of nobody's; only to be read."""

    list_display = ("ts", "action", "resource_type", "resource_id", "success", "user_id", "key_id", "ip_address")
    list_filter = ("action", "success")
    date_hierarchy = "ts"

    def has_add_permission(self, request: object) -> bool:  # noqa: ARG002  signature of Django
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False
