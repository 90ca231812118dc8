"""GET /metrics, for the networks and the token that may read it."""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from errors.catalog import IP_NOT_ALLOWED
from errors.exceptions import ApiError
from ratelimit.address import client_address


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Answer with the series of all processes; 403/1103 to anybody else."""
    if not (_has_token(request) or _is_near(request)):
        raise ApiError(IP_NOT_ALLOWED)
    response: HttpResponse = ExportToDjangoView(request)
    return response


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    return bool(expected) and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), expected.encode())


def _is_near(request: HttpRequest) -> bool:
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_ALLOWED_NETWORKS)
