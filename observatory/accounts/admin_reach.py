"""How far staff reach in the admin: superusers everywhere, others in the organisations that they are members of."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from observatory.accounts.models import Membership, Organisation, Project, User


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


class ReachAdmin(admin.ModelAdmin):
    """Rows of organisations: lists, single rows and choices end where the reach of the member of staff does.

    `tenant` is the path from a row to the number of its organisation.
    """

    tenant = "organisation_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return within_reach(request, super().get_queryset(request), self.tenant)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Organisation:
            kwargs["queryset"] = within_reach(request, Organisation.objects.order_by("slug"), "pk")
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
