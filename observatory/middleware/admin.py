"""Session, CSRF, sign-in and messages for the admin's paths; API paths carry none of them."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

_PATHS = "/admin/"


class _OnlyAdmin(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if request.path.startswith(_PATHS) else self.get_response(request)


class AdminSessionMiddleware(_OnlyAdmin, SessionMiddleware):
    """Sessions under the admin."""


class AdminCsrfMiddleware(_OnlyAdmin, CsrfViewMiddleware):
    """CSRF protection under the admin: nothing else takes a cookie for a credential."""

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponseForbidden | None:
        return super().process_view(request, *args) if request.path.startswith(_PATHS) else None


class AdminAuthenticationMiddleware(_OnlyAdmin, AuthenticationMiddleware):
    """The signed-in member of staff under the admin."""


class AdminMessageMiddleware(_OnlyAdmin, MessageMiddleware):
    """Messages to staff under the admin."""
