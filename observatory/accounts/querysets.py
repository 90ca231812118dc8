from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from observatory.accounts.models import ApiKey, Project  # noqa: F401  names of the generic parameters below


class ProjectQuerySet(models.QuerySet["Project"]):
    def public(self) -> "ProjectQuerySet":
        return self.filter(is_public=True)

    def refs(self) -> dict[int, UUID]:
        """Return number -> public UUID of these projects, in number order."""
        return dict(self.order_by("id").values_list("id", "public_id"))


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, *, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None).exclude(expires_at__lte=now)
