"""Secrets at rest: what is stored can be read again with `SECRET_ENCRYPTION_KEY` only."""

import hashlib
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet
from django.conf import settings


def encrypt(secret: str) -> bytes:
    """Return `secret` as it may be stored."""
    return _box(settings.SECRET_ENCRYPTION_KEY).encrypt(secret.encode())


def decrypt(stored: bytes | memoryview) -> str:
    """Return the secret behind what `encrypt` gave; raise `InvalidToken` under another key."""
    return _box(settings.SECRET_ENCRYPTION_KEY).decrypt(bytes(stored)).decode()


@cache
def _box(key: str) -> Fernet:
    return Fernet(urlsafe_b64encode(hashlib.sha256(b"llm-observatory secrets at rest\0" + key.encode()).digest()))
