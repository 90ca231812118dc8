"""The credential of a stream: in a header, in a subprotocol of WebSocket, or behind a ticket; never in the URL."""

from dataclasses import replace

from rest_framework.request import Request

from errors.catalog import MISSING_AUTHORIZATION
from errors.exceptions import ApiError
from observatory.accounts import tickets
from observatory.accounts.authentication import CredentialAuthentication, Shown
from observatory.accounts.secrets import API_KEY_PREFIX
from ratelimit.address import client_address

SUBPROTOCOL, PLAIN_SUBPROTOCOL = "llmo.bearer.", "llmo"


def offered(request: Request) -> list[str]:
    """Return the subprotocols that a WebSocket client offers."""
    return [one.strip() for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if one.strip()]


def chosen(subprotocols: list[str]) -> str | None:
    """Return the subprotocol to answer with: a browser that offers some takes no connection without one of them."""
    known = [one for one in subprotocols if one == PLAIN_SUBPROTOCOL or one.startswith(SUBPROTOCOL)]
    return PLAIN_SUBPROTOCOL if PLAIN_SUBPROTOCOL in known else next(iter(known), None)


class StreamAuthentication(CredentialAuthentication):
    """Reads a header, else `llmo.bearer.<token>` among the subprotocols, else `?ticket=`."""

    def shown(self, request: Request) -> Shown:
        shown = super().shown(request) or _in_subprotocols(request) or _behind_ticket(request)
        if shown is None:
            raise ApiError(MISSING_AUTHORIZATION)
        # The stream looks it up again, and from where it may be used.
        vars(request._request)["shown"] = replace(shown, address=client_address(request))  # noqa: SLF001
        return shown


def _in_subprotocols(request: Request) -> Shown | None:
    for one in offered(request):
        if one.startswith(SUBPROTOCOL):
            secret = one.removeprefix(SUBPROTOCOL)
            return Shown(secret=secret, is_key=secret.startswith(API_KEY_PREFIX))
    return None


def _behind_ticket(request: Request) -> Shown | None:
    ticket = request.query_params.get("ticket")
    return tickets.redeem(ticket) if ticket else None
