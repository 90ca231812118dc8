"""Where messages may be sent: nowhere inside the operator's network, unless a setting names it.

A name is resolved once, every address of it is judged, and the connection is made to one of those: a name that means
another address a moment later leads nowhere else.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
_LONGEST_URL = 2000
_TRANSLATED = ip_network("64:ff9b::/96")  # NAT64: the last four octets are an IPv4 address
# Local NAT64, addresses of protocols (some clouds tell a machine's secrets there), relays, IPv4 inside of IPv6.
_NEAR = tuple(map(ip_network, ("64:ff9b:1::/48", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "::/96")))
_ISATAP = (0x00005EFE, 0x02005EFE)  # in the third quarter of an address; the last is one of IPv4
_PORTS = {"http": 80, "https": 443}


class ForbiddenAddressError(Exception):
    """A URL that messages are not sent to; the text is the reason in one sentence."""


def checked_url(url: str) -> SplitResult:
    """Return the parts of a URL of a receiver; raise `ForbiddenAddressError` for one that cannot be, by its form."""
    is_plain = len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() and " " not in url
    try:
        parts = urlsplit(url if is_plain else "")
        well_formed = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets around no address
        well_formed = False
    if not well_formed:
        raise ForbiddenAddressError("The URL must begin with http:// or https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddressError("The URL must hold no user and no password.")
    return parts


def addresses_of(parts: SplitResult) -> list[tuple[str, int]]:
    """Return address and port of each place that the host of a URL means, all of which may be reached.

    Raises `ForbiddenAddressError` when one may not be, and `OSError` for a name that is unknown.
    """
    port = parts.port or _PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # an empty label, or one of more than 63 octets
        raise ForbiddenAddressError("The URL must name a host that there can be.") from None
    hosts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for host in hosts:
        if not is_reachable(ip_address(host.partition("%")[0])):
            raise ForbiddenAddressError("The host is inside a private network, where no message is sent.")
    return [(host, port) for host in hosts]


def is_reachable(address: Address) -> bool:
    """Whether messages may be sent to an address: a public one, or one of `ALERT_ALLOWED_NETWORKS`."""
    inner = _inner(address)
    if any(one in network for network in settings.ALERT_ALLOWED_NETWORKS for one in (address, inner)):
        return True
    return all(one.is_global and not one.is_multicast and not _is_near(one) for one in (address, inner))


def _is_near(address: Address) -> bool:
    """Whether an address that the library calls global leads to the machine or its surroundings all the same."""
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return site_local or any(address in network for network in _NEAR)


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
