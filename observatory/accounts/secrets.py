"""Random secrets shown once, and the digests that are stored instead of them."""

import hashlib
import secrets
import string
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet
from django.conf import settings

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


def encrypt(secret: str) -> bytes:
    """Return `secret` as it may be stored: it can be read again with `SECRET_ENCRYPTION_KEY` only."""
    return _box(settings.SECRET_ENCRYPTION_KEY).encrypt(secret.encode())


def decrypt(stored: bytes) -> str:
    """Return the secret behind what `encrypt` gave; raise `InvalidToken` under another key."""
    return _box(settings.SECRET_ENCRYPTION_KEY).decrypt(bytes(stored)).decode()


@cache
def _box(key: str) -> Fernet:
    return Fernet(urlsafe_b64encode(hashlib.sha256(b"llm-observatory secrets at rest\0" + key.encode()).digest()))


def digest(secret: str) -> bytes:
    """Return the SHA-256 of `secret`. The secrets have 238 random bits, so a slow hash would guard nothing."""
    return hashlib.sha256(secret.encode()).digest()


def _random() -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(_LENGTH))
