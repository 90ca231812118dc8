"""Session, CSRF, sign-in and messages for the admin and the pages; API paths carry none of them."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

from observatory.pages.paths import is_for_people


class _OnlyAdmin(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if is_for_people(request.path) else self.get_response(request)


class AdminSessionMiddleware(_OnlyAdmin, SessionMiddleware):
    """Sessions under the admin and the pages."""


class AdminCsrfMiddleware(_OnlyAdmin, CsrfViewMiddleware):
    """CSRF protection where a cookie is a credential, and nowhere else."""

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponseForbidden | None:
        return super().process_view(request, *args) if is_for_people(request.path) else None


class AdminAuthenticationMiddleware(_OnlyAdmin, AuthenticationMiddleware):
    """Who is signed in."""


class AdminMessageMiddleware(_OnlyAdmin, MessageMiddleware):
    """Messages that are shown once."""
