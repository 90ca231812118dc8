"""How far staff reach in the admin: superusers everywhere, others in the organisations that they are members of."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.accounts.models import Membership, Organisation, Project, User
from observatory.admin_site import NAMES
from observatory.sentences import SentenceModelForm


def organisations_of(request: HttpRequest) -> list[int] | None:
    """Return the organisations that a member of staff works in; `None`: all of them."""
    user = request.user
    if not isinstance(user, User) or user.is_superuser:
        return None
    known: list[int] | None = getattr(request, "organisations_in_reach", None)
    if known is None:
        known = list(Membership.objects.filter(user=user).values_list("organisation_id", flat=True))
        request.organisations_in_reach = known  # type: ignore[attr-defined]  # asked for by every row and choice of a page
    return known


def within_reach(request: HttpRequest, rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    """Return those of `rows` whose organisation, at `path`, the member of staff works in."""
    reach = organisations_of(request)
    return rows if reach is None else rows.filter(**{f"{path}__in": reach})


def organisation_named(path: str = "organisation_id") -> Coalesce:
    """Return the slug of the organisation whose number is at `path`, for a whole list in one statement."""
    found = Organisation.objects.filter(pk=OuterRef(path)).values("slug")[:1]
    return Coalesce(Subquery(found), Cast(F(path), CharField()), output_field=CharField())


def project_named(path: str = "project_id") -> Coalesce:
    """Return organisation and project of the project whose number is at `path`, likewise."""
    named = Concat(F("organisation__slug"), Value("/"), F("slug"), output_field=CharField())
    found = Project.objects.filter(pk=OuterRef(path)).values(place=named)[:1]
    return Coalesce(Subquery(found), Cast(F(path), CharField()), output_field=CharField())


class AuditedAdmin(admin.ModelAdmin):
    """What is made, changed and deleted here is in the audit log, under the `resource` that the API calls it too."""

    tenant = "organisation_id"
    resource = ""  # the model's own name

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._recorded(request, obj, "create")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._recorded(request, obj, "update")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._recorded(request, obj, "delete")
        return super().log_deletions(request, queryset)

    def _recorded(self, request: HttpRequest, obj: Any, action: str) -> None:
        organisation = getattr(obj, self.tenant, None)
        form = getattr(request, "changed_names", [])
        audit.describe(
            request,
            action=action,
            resource_type=self.resource or str(self.opts.verbose_name).replace(" ", "_"),
            resource_id=str(getattr(obj, "public_id", obj.pk)),
            organisation_id=organisation or None,
            user_id=str(request.user.pk),
            changes=form,
        )

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        request.changed_names = sorted(form.changed_data)  # type: ignore[attr-defined]  # names of fields, never their values
        return super().construct_change_message(request, form, formsets, add)


class ReachAdmin(AuditedAdmin):
    """Rows of organisations: lists, single rows and choices end where the reach of the member of staff does.

    `tenant` is the path from a row to the number of its organisation.
    """

    form = SentenceModelForm

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        named = NAMES.get(self.opts.object_name or "", str(self.opts.verbose_name_plural).capitalize())
        return super().changelist_view(request, {"title": named, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return within_reach(request, super().get_queryset(request), self.tenant)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Organisation:
            kwargs["queryset"] = within_reach(request, Organisation.objects.order_by("slug"), "pk")
        if db_field.remote_field.model is User:
            found = User.objects.order_by("username")
            kwargs["queryset"] = within_reach(request, found, "memberships__organisation_id").distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Project:
            found = Project.objects.select_related("organisation").order_by("organisation__slug", "slug")
            kwargs["queryset"] = within_reach(request, found, "organisation_id")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_list_filter(self, request: HttpRequest) -> Any:
        # A filter's choices would name every organisation.
        found = super().get_list_filter(request)
        return found if organisations_of(request) is None else [one for one in found if one != "organisation"]

    def row_of(self, request: HttpRequest, key: str) -> Any:
        """Return the row within reach whose key a path has; raise 404 without one."""
        try:
            number = self.opts.pk.to_python(key)
        except ValidationError:
            number = None
        return get_object_or_404(self.get_queryset(request), pk=number)

    def may_press(self, request: HttpRequest, row: Any = None) -> bool:  # noqa: ARG002  what pages look at
        """Return whether the member of staff may press the buttons of a row: rows that are only read have some too."""
        return admin.ModelAdmin.has_change_permission(self, request)

    def confirmed(
        self, request: HttpRequest, row: Any, *, title: str, told: str, verb: str, act: Callable[[], None]
    ) -> HttpResponse:
        """Ask; once the button is pressed `act`, and go back to the row's page, which says what was refused."""
        if not self.may_press(request, row):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        if request.method == "POST":
            try:
                act()
            except ApiError as refused:
                messages.error(request, refused.message)
            return HttpResponseRedirect(back)
        shown = {**self.admin_site.each_context(request), "title": title, "told": told, "verb": verb, "back": back}
        return TemplateResponse(request, "admin/confirm.html", shown)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that nobody changes here; a page says whether some are added or deleted."""

    may_add = may_delete = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  signature of Django
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and super().has_delete_permission(request, obj)
