"""Random secrets shown once, and the digests that are stored instead of them."""

import hashlib
import secrets
import string

_BASE62 = string.digits + string.ascii_letters
_LENGTH = 40
API_KEY_PREFIX = "llmo_sk_"


def new_api_key(*, environment: str = "live") -> tuple[str, str]:
    """Return a new API key (`llmo_sk_<environment>_` + 40 base62 characters) and its public prefix."""
    body = _random()
    return f"{API_KEY_PREFIX}{environment}_{body}", body[:8]


def new_refresh_token() -> str:
    """Return a new refresh token: `llmo_rt_` + 40 base62 characters."""
    return f"llmo_rt_{_random()}"


def new_signing_secret() -> str:
    """Return a new signing secret: `llmo_ss_` + 40 base62 characters."""
    return f"llmo_ss_{_random()}"


def digest(secret: str) -> bytes:
    """Return the SHA-256 of `secret`. The secrets have 238 random bits, so a slow hash would guard nothing."""
    return hashlib.sha256(secret.encode()).digest()


def _random() -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(_LENGTH))
