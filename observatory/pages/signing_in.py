"""Signing in to the pages, and out."""

from copy import copy
from typing import Any, cast

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from rest_framework.request import Request

from errors.catalog import INVALID_CREDENTIALS
from observatory.accounts import audit
from observatory.accounts.models import User
from observatory.pages.paths import is_for_people
from ratelimit.throttle import charge_request
from ratelimit.views import LimitedAPIView

_LONGEST = 254  # of a name or a password that is looked at


class _Attempt(LimitedAPIView):
    """How an attempt to sign in is paid for: by its address, as that for a token is."""

    rate_bucket = None
    rate_class = "auth"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form; take name and password, and lead to where the visitor wanted to go."""
    where = _place(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(where)
        return render(request, "pages/sign_in.html", {"next": where})
    _charge(request)
    name = request.POST.get("username", "")[:_LONGEST].replace("\0", "")
    audit.describe(request, action="login", resource_type="session")
    user = authenticate(request, username=name, password=request.POST.get("password", ""))
    if not isinstance(user, User):
        audit.failed_sign_in(request, username=name, organisation=None)
        shown = {"next": where, "username": name, "problem": INVALID_CREDENTIALS.message}
        response = render(request, "pages/sign_in.html", shown, status=INVALID_CREDENTIALS.status)
        for header, value in INVALID_CREDENTIALS.headers:
            response.headers[header] = value
        response.own_error_body = True  # type: ignore[attr-defined]  # the middleware's sign that the body is final
        return response
    login(request, user)
    audit.describe(request, user_id=str(user.pk))
    return HttpResponseRedirect(where)


@require_http_methods(["POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect(reverse("pages:sign-in"))


def _place(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and is_for_people(wanted.partition("?")[0])
    return wanted if is_ours else reverse("pages:home")


def _charge(request: HttpRequest) -> None:
    asked = Request(copy(request))
    asked.user = cast("Any", None)  # nobody yet: the address pays
    charge_request(asked, cast("Any", _Attempt()))
