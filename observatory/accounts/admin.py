from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.html import format_html

from analytics.registry.redaction import CONTENT_CAPTURES
from errors.exceptions import ApiError
from observatory.accounts import admin_keys  # noqa: F401  registers its pages
from observatory.accounts.admin_reach import ReachAdmin, organisations_of, within_reach
from observatory.accounts.models import AuditEntry, Membership, Organisation, Project, User
from observatory.accounts.redaction import read_redaction, read_scopes

DASHBOARDS = "/app/o/"
_POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")
admin.site.site_header = admin.site.site_title = "LLM Observatory"


@admin.register(User)
class MemberAdmin(UserAdmin):
    """Users are disabled, not deleted: tokens of a known user die with it, those of a stranger live on.

    Staff see users of their own organisations; who is staff, and what it may do, is up to superusers.
    """

    def get_queryset(self, request: HttpRequest) -> Any:
        return within_reach(request, super().get_queryset(request), "memberships__organisation_id").distinct()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_readonly_fields(request, obj)
        return found if organisations_of(request) is None else (*found, *_POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        above = obj is not None and obj.is_superuser and organisations_of(request) is not None
        return super().has_change_permission(request, obj) and not above

    def has_delete_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False


class VersionedAdmin(ReachAdmin):
    """What is changed here has another row version, which clients compare before they change it."""

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        obj.row_version += 1 if change else 0
        super().save_model(request, obj, form, change)


@admin.register(Organisation)
class OrganisationAdmin(ReachAdmin):
    tenant = "pk"
    list_display = ("slug", "name", "public_id", "created_at", "look")
    search_fields = ("slug", "name")

    @admin.display(description="dashboards")
    def look(self, organisation: Organisation) -> str:
        return format_html('<a href="{}{}">Look</a>', DASHBOARDS, organisation.slug)


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


@admin.register(AuditEntry)
class AuditEntryAdmin(ReachAdmin):
    """The audit log, and to superusers failed sign-ins of nobody's; only to be read."""

    list_display = ("ts", "action", "resource_type", "resource_id", "success", "user_id", "key_id", "ip_address")
    list_filter = ("action", "success")
    ordering = ("-ts", "-id")
    show_full_result_count = False

    def has_add_permission(self, request: object) -> bool:  # noqa: ARG002  signature of Django
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False
