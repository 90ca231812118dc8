from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from observatory.accounts.models import ApiKey  # noqa: F401  the generic parameter below


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, *, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None).exclude(expires_at__lte=now)

    def opened_by(self, sha256: bytes, *, now: datetime) -> "ApiKeyQuerySet":
        """The key whose secret has this digest: its newest one, or the one before while they overlap."""
        return self.usable(now=now).filter(
            models.Q(secret_sha256=sha256) | models.Q(previous_sha256=sha256, previous_expires_at__gt=now)
        )
