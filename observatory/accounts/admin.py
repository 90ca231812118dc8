from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html

from analytics.registry.redaction import CONTENT_CAPTURES
from errors.exceptions import ApiError
from observatory.accounts import admin_keys  # noqa: F401  registers its pages
from observatory.accounts.admin_paging import CappedPaginator
from observatory.accounts.admin_reach import (
    AuditedAdmin,
    ReachAdmin,
    ReadOnlyAdmin,
    organisation_named,
    organisations_of,
    within_reach,
)
from observatory.accounts.audit import ACTIONS
from observatory.accounts.models import ApiKey, AuditEntry, Membership, Organisation, Project, User
from observatory.accounts.redaction import read_redaction, read_scopes
from observatory.sentences import InSentences, SentenceModelForm, sentence

DASHBOARDS = "/app/o/"
_POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


admin.site.unregister(Group)


@admin.register(Group)
class PowersAdmin(GroupAdmin):
    """What groups of staff may do is up to superusers."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return organisations_of(request) is None and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return organisations_of(request) is None and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return organisations_of(request) is None and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return organisations_of(request) is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return organisations_of(request) is None and super().has_delete_permission(request, obj)


class NewUserForm(InSentences, AdminUserCreationForm):
    """A new user; what is wrong is said as everywhere."""


class UserForm(InSentences, UserChangeForm):
    """A user; likewise."""


class PasswordForm(InSentences, AdminPasswordChangeForm):
    """Another password for a user; likewise."""


@admin.register(User)
class MemberAdmin(AuditedAdmin, UserAdmin):
    """Users are disabled, not deleted: tokens of a known user die with it, those of a stranger live on.

    Staff see users of their own organisations; who is staff, and what it may do, is up to superusers. They change those
    alone who are nowhere else: with the password of another they would be where they are not.
    """

    form, add_form, change_password_form = UserForm, NewUserForm, PasswordForm

    def get_queryset(self, request: HttpRequest) -> Any:
        return within_reach(request, super().get_queryset(request), "memberships__organisation_id").distinct()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_readonly_fields(request, obj)
        return found if organisations_of(request) is None else (*found, *_POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and _is_above(request, obj))

    def has_delete_permission(self, request: object, obj: object = None) -> bool:  # noqa: ARG002  signature of Django
        return False


def _is_above(request: HttpRequest, user: User) -> bool:
    """Return whether a user has powers, or is in organisations, that the member of staff does not have."""
    reach = organisations_of(request)
    if reach is None or user.pk == request.user.pk:
        return False
    elsewhere = user.memberships.exclude(organisation_id__in=reach)
    return user.is_superuser or user.is_staff or elsewhere.exists()


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


class ProjectForm(SentenceModelForm):
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
        raise forms.ValidationError(sentence(problem), code="told") from None


@admin.register(Project)
class ProjectAdmin(VersionedAdmin):
    form = ProjectForm
    list_display = ("slug", "organisation", "name", "is_public", "public_id")
    list_filter = ("organisation", "is_public")
    list_select_related = ("organisation",)
    search_fields = ("slug", "name")


@admin.register(Membership)
class MembershipAdmin(VersionedAdmin):
    resource = "member"
    list_display = ("user", "organisation", "role")
    list_filter = ("organisation", "role")
    list_select_related = ("user", "organisation")
    filter_horizontal = ("projects",)


class ActionFilter(admin.SimpleListFilter):
    """By action; the choices are the actions there are, not those that a walk through the log finds."""

    title = parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002  Django's
        return [(action, action) for action in ACTIONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:  # noqa: ARG002
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin, ReachAdmin):
    """The audit log, and to superusers failed sign-ins of nobody's; only to be read."""

    list_display = ("ts", "organisation", "action", "resource_type", "resource_id", "success", "who", "ip_address")
    list_filter = (ActionFilter, "success")
    ordering = ("-ts", "-id")
    paginator = CappedPaginator
    show_full_result_count = False
    fields = (
        "ts", "organisation", "action", "resource_type", "resource_id", "success", "who", "user_id", "key_id",
        "ip_address", "user_agent", "request_id", "duration_ms", "status_code", "changes",
    )  # fmt: skip
    readonly_fields = ("organisation", "who")

    def get_queryset(self, request: HttpRequest) -> Any:
        users = User.objects.filter(pk=OuterRef("user_id")).values("username")[:1]
        keys = ApiKey.objects.filter(pk=OuterRef("key_id")).values("name")[:1]
        found = super().get_queryset(request)
        return found.annotate(slug=organisation_named(), named=Coalesce(Subquery(users), Subquery(keys)))

    @admin.display(description="organisation")
    def organisation(self, entry: AuditEntry) -> str:
        return getattr(entry, "slug", None) or ""

    @admin.display(description="who")
    def who(self, entry: AuditEntry) -> str:
        return getattr(entry, "named", None) or str(entry.user_id or entry.key_id or "")
