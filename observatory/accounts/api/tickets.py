"""Tickets to streams."""

from typing import Any, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api.bodies import read_body
from analytics.api.parameters import validate
from errors.schema import ERROR_REPLIES
from observatory.accounts import tickets
from observatory.accounts.api import shapes
from observatory.accounts.api.views import ManagementView
from observatory.accounts.authentication import CredentialAuthentication
from observatory.live.addresses import addresses


class TicketView(ManagementView):
    """A ticket to one stream, for clients that cannot send headers."""

    audited = None  # nothing is changed

    @extend_schema(
        operation_id="events_ticket",
        request={"application/json": {"type": "object", "additionalProperties": False}},
        responses={201: shapes.ref("Ticket"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        validate(request.query_params, ())
        read_body(cast("dict[str, Any]", request.data), ())
        shown = CredentialAuthentication().shown(request)
        assert shown is not None, "the route serves nobody without a credential"
        body = {"ticket": tickets.issue(shown), "expires_in": settings.TICKET_TTL_SECONDS, **addresses()}
        return Response(body, status=201)
