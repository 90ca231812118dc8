"""Texts of the environment as values: each reader returns one, or raises `ValueError` whose text is the cure."""

import ipaddress
import json
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

_SECRET_CHARS = 32
_HUGE = 1_000_000


def text(value: str) -> str:
    return value


def boolean(value: str) -> bool:
    if value.lower() in {"true", "1", "yes", "on"}:
        return True
    if value.lower() in {"false", "0", "no", "off"}:
        return False
    raise ValueError("write true or false")


def whole(low: int, high: int = 2**53) -> Callable[[str], int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(value: str) -> int:
        number = int(value) if value.strip().removeprefix("-").isdecimal() else None
        if number is None or not low <= number <= high:
            raise ValueError(f"write a whole number from {low} to {high}")
        return number

    return read


def decimal(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise ValueError("write a number such as 1.2") from None
    if not 0 < number < _HUGE:
        raise ValueError("write a number above 0")
    return number


def comma_list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def networks(value: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part) for part in comma_list(value))
    except ValueError:
        raise ValueError("write CIDR networks separated by commas, such as 10.0.0.0/8") from None


_POLICY_MEMBERS = frozenset({"ttl", "etag", "last_modified"})
_LONGEST_TTL = 86_400


def cache_policies(value: str) -> Mapping[str, Mapping[str, int | bool]]:
    """Read JSON of route -> {ttl, etag, last_modified}; each member may be left out."""
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(map(_is_policy, found.values())):
        raise ValueError(
            'write JSON such as {"/metrics/performance": {"ttl": 30, "etag": true, "last_modified": true}}'
        )
    return found


def _is_policy(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() - _POLICY_MEMBERS:
        return False
    ttl = value.get("ttl", 0)
    whole_seconds = type(ttl) is int and 0 <= ttl <= _LONGEST_TTL
    return whole_seconds and all(isinstance(value.get(name, True), bool) for name in ("etag", "last_modified"))


def one_of(*names: str) -> Callable[[str], str]:
    """Return a reader that accepts `names` in any case and gives them in lower case."""

    def read(value: str) -> str:
        if value.lower() not in names:
            raise ValueError(f"write one of {', '.join(names)}")
        return value.lower()

    return read


def some_of(*names: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of a comma list of `names` in any case; `none` is the empty list."""

    def read(value: str) -> tuple[str, ...]:
        given = comma_list(value.lower())
        if given == ("none",):
            return ()
        if not given or not set(given) <= set(names):
            raise ValueError(f"write none, or a comma list of {', '.join(names)}")
        return tuple(dict.fromkeys(given))

    return read


def secret(value: str) -> str:
    if len(value) < _SECRET_CHARS:
        raise ValueError(f"use at least {_SECRET_CHARS} characters; `openssl rand -hex 32` makes 64")
    return value


def algorithm(value: str) -> str:
    if value not in ("HS256", "RS256"):
        raise ValueError("write HS256 or RS256")
    return value


def pem(value: str) -> str:
    """Read a key in PEM; its lines may be separated by backslash and n, as one line of the environment."""
    if not value.startswith("-----BEGIN "):
        raise ValueError("write a key in PEM, which begins with -----BEGIN")
    return value.replace("\\n", "\n")


def base_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("write a URL that begins with http:// or https://")
    return value.rstrip("/")


def with_port(url: str, port: int) -> str:
    """Return `url` with another port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def address(*schemes: str) -> Callable[[str], str]:
    """Return a reader of server addresses that begin with one of `schemes`."""

    def read(value: str) -> str:
        if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"write an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    return read
