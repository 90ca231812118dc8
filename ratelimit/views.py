"""Base of every view that is limited."""

from collections.abc import Sequence
from typing import Any, Literal

from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from errors.catalog import Category
from errors.exceptions import ApiError
from errors.parsing import BodyRequest
from ratelimit.throttle import charge_address, charge_of


class LimitedAPIView(APIView):
    """A view whose requests are paid for before anything else is looked at.

    `rate_cost` tokens come from the caller's bucket (`rate_bucket`: its reading bucket, its ingest bucket, none), one
    from the bucket of `rate_class`. Every reply after the charge bears the headers of the limits. OPTIONS is free and
    needs no credential.
    """

    rate_cost: int = 1
    rate_class: str | None = None
    rate_bucket: Literal["principal", "ingest"] | None = "principal"
    audited: str | None = ""  # what the view changes, for the audit log; None: its requests are not recorded
    audit_action: str | None = None  # what its requests are for, in the audit log; None: what their method says
    largest_body: int | None = None  # bytes; None: MAX_BODY_BYTES

    def keys_to_read(self, request: Request) -> Sequence[str]:  # noqa: ARG002  for views that will need some
        """Return keys of Redis whose values the view will need; they are read in the round trip of the charge."""
        return ()

    def caller_was_renewed(self) -> None:
        """Forget what was made of the caller so far: another one has taken its place."""

    def initialize_request(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> Request:
        return BodyRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Request, *_args: Any, **_kwargs: Any) -> None:
        """Charge before anything can refuse, so that every reply of a limited route tells what is left."""
        self.format_kwarg = None
        if request.method == "OPTIONS":
            return
        self.perform_authentication(request)
        self.check_throttles(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.check_permissions(request)

    def perform_authentication(self, request: Request) -> None:
        """Authenticate; a credential that fails is paid for by the caller's address, 429/1500 when it cannot."""
        try:
            super().perform_authentication(request)
        except (ApiError, AuthenticationFailed, NotAuthenticated) as failure:
            if not isinstance(failure, ApiError) or failure.spec.category is Category.AUTHENTICATION:
                # Nothing shall ask the authenticators again.
                request.user = None  # type: ignore[assignment]  # nobody: UNAUTHENTICATED_USER is None
                charge_address(request)
            raise

    def options(self, *_args: Any, **_kwargs: Any) -> Response:
        return Response(None)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        charge = charge_of(request)
        if charge is not None:
            for name, value in charge.decision.headers().items():
                final[name] = value
        return final
