"""Allow-lists: networks that a credential works from."""

import ipaddress
from collections.abc import Iterable

from django.core.exceptions import ValidationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def read_networks(texts: Iterable[str]) -> list[str]:
    """Return networks in their canonical form, each once; raise `ValueError` for a text that is none."""
    return list(dict.fromkeys(str(ipaddress.ip_network(text)) for text in texts))


def validate_networks(texts: list[str]) -> None:
    """Raise `ValidationError` for a text that is no network."""
    try:
        read_networks(texts)
    except ValueError as problem:
        raise ValidationError(str(problem)) from None


def admits(lists: Iterable[tuple[Network, ...]], address: str) -> bool:
    """Whether every list admits `address`; an empty one admits all, and what is no address is in no network."""
    needed = [networks for networks in lists if networks]
    if not needed:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(any(found in network for network in networks) for networks in needed)


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return stored networks as values."""
    return tuple(ipaddress.ip_network(text) for text in texts)
