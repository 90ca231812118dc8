from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from observatory.accounts.models import ApiKey  # noqa: F401  the generic parameter below


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, *, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None).exclude(expires_at__lte=now)
