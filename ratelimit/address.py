"""Where a request comes from."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

Address = IPv4Address | IPv6Address
IPV6_PREFIX = 64
_LONGEST = 64  # characters of an address with brackets and port


def client_address(request: HttpRequest | Request) -> str:
    """Return the caller's address, as `address_of` says."""
    return address_of(request.META)


def address_of(environ: Mapping[str, Any]) -> str:
    """Return the caller's address: that of the connection, or with `TRUSTED_PROXY_COUNT` n the n-th from the right.

    Entries further left in X-Forwarded-For were written by the caller and say nothing. An IPv4 address inside an
    IPv6 one is given as IPv4. Where the header has too few entries or no address in that place, the connection's
    address holds.
    """
    remote: str = environ.get("REMOTE_ADDR", "")
    place = settings.TRUSTED_PROXY_COUNT
    entries = environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if place else []
    forwarded = _parse(entries[-place]) if 0 < place <= len(entries) else None
    return str(forwarded or _parse(remote) or remote)


def network_key(address: str) -> str:
    """Return what a limit per address counts by: the IPv4 address, the /64 of an IPv6 address, else `unknown`."""
    match _parse(address):
        case IPv4Address() as found:
            return str(found)
        case IPv6Address() as found:
            return str(ip_network((int(found), IPV6_PREFIX), strict=False))
        case _:
            return "unknown"


def _parse(text: str) -> Address | None:
    """Return the address in `text`, which may carry a port (`192.0.2.1:443`, `[2001:db8::1]:443`), or None."""
    text = text.strip()
    return _read(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _read(text: str) -> Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
