"""/me: who the caller is and what it may do."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.parameters import validate
from errors.schema import ERROR_REPLIES
from observatory.accounts.api import shapes
from observatory.accounts.api.views import ManagementView, caller_of
from observatory.accounts.models import Membership
from observatory.accounts.principals import Principal
from observatory.database import tenancy
from observatory.live.addresses import addresses


class MeView(ManagementView):
    """The caller: organisation, role, projects, permissions, tier."""

    @extend_schema(operation_id="me", responses={200: shapes.ref("Me"), **ERROR_REPLIES})
    def get(self, request: Request) -> Response:
        validate(request.query_params, ())
        caller = caller_of(request)
        return Response(
            {
                "principal": caller.kind,
                "id": caller.id,
                "org_id": str(caller.organisation),
                "organisations": _organisations(caller),
                "role": caller.role,
                "projects": [str(one.public_id) for one in caller.projects],
                "permissions": sorted(caller.permissions),
                "rate_limit_tier": caller.rate_tier,
                **addresses(),
            }
        )


def _organisations(caller: Principal) -> list[dict[str, Any]]:
    """Return the organisations of a user; a key has one, and a user that is not ours only its token's."""
    try:
        user = UUID(caller.id) if caller.kind == "user" else None
    except ValueError:
        user = None
    with tenancy.only(tenancy.EVERY):  # a user's own memberships are no secret to the user
        rows = list(Membership.objects.filter(user=user).select_related("organisation")) if user else []
    rows.sort(key=lambda one: one.organisation.slug)
    return [{"id": str(one.organisation.public_id), "slug": one.organisation.slug, "role": one.role} for one in rows]
