import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from analytics.registry.redaction import CONTENT_CAPTURES
from observatory.accounts.querysets import ApiKeyQuerySet
from observatory.accounts.redaction import default_redaction

ROLE_CHOICES = [("admin", "admin"), ("developer", "developer"), ("viewer", "viewer"), ("billing", "billing")]


class User(AbstractUser):
    """A person; belongs to organisations through memberships. Staff work in the admin and have no API reach by it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        db_table = "users"


class Organisation(models.Model):
    """A tenant. Storage knows it by the number, clients by the UUID."""

    id = models.AutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "organisations"

    def __str__(self) -> str:
        return self.slug


class Project(models.Model):
    """What a span belongs to. Storage knows it by the number, clients by the UUID or the slug."""

    id = models.AutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63)
    is_public = models.BooleanField(default=False)
    content_capture = models.CharField(
        max_length=10,
        choices=[(name, name) for name in CONTENT_CAPTURES],
        default="full",
        help_text="none: input, output, messages and arguments of tools are dropped before spans are stored.",
    )
    redaction = models.JSONField(
        default=default_redaction,
        help_text='{"mode": mask, hash, remove or off, "detectors": [...], "custom_patterns": [{"name", "pattern"}]}',
    )
    usage_exclusive_scopes = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Instrumentation scopes whose token totals leave out their cached and reasoning parts.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "projects"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "slug"], name="projects_slug_per_organisation"),
        ]
        indexes: ClassVar = [
            # Anonymous callers: all public projects.
            models.Index(fields=["organisation"], name="projects_public", condition=models.Q(is_public=True)),
        ]

    def __str__(self) -> str:
        return f"{self.organisation.slug}/{self.slug}"


class Membership(models.Model):
    """A user's role in an organisation and the projects it extends to (an admin's extends to all)."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=ROLE_CHOICES)
    projects = models.ManyToManyField(Project, blank=True, related_name="memberships")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "memberships"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation"], name="memberships_once_per_organisation"),
        ]

    def __str__(self) -> str:
        return f"{self.user.username} in {self.organisation.slug} as {self.role}"


class ApiKey(models.Model):
    """A machine's credential. Only the SHA-256 of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=8, editable=False)
    secret_sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    projects = models.ManyToManyField(Project, related_name="api_keys")
    permissions = ArrayField(models.CharField(max_length=64), default=list)
    rate_limit_tier = models.CharField(max_length=20, choices=ROLE_CHOICES, default="viewer")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class RefreshToken(models.Model):
    """One refresh token of a family; presenting a consumed one revokes the family. Only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    family = models.UUIDField(db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_tokens")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    secret_sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    projects = ArrayField(models.IntegerField(), default=list)
    permissions = ArrayField(models.CharField(max_length=64), default=list)
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "refresh_tokens"

    def __str__(self) -> str:
        return f"refresh token of {self.user_id}"


class RevokedToken(models.Model):
    """An access token that died before its time; kept until it would have expired."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "revoked_tokens"

    def __str__(self) -> str:
        return str(self.jti)
