import uuid
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now

from analytics.registry.redaction import CONTENT_CAPTURES
from observatory.accounts.networks import validate_networks
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
    allowed_ips = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        validators=[validate_networks],
        help_text="Networks (CIDR) that credentials of the organisation work from; none: everywhere.",
    )
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
    archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())
    row_version = models.IntegerField(default=1, editable=False)

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
    public_id = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    projects = models.ManyToManyField(Project, blank=True, related_name="memberships")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    row_version = models.IntegerField(default=1, editable=False)

    class Meta:
        db_table = "memberships"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation"], name="memberships_once_per_organisation"),
        ]

    def __str__(self) -> str:
        return f"{self.user.username} in {self.organisation.slug} as {self.role}"


class ApiKey(models.Model):
    """A machine's credential. Of its secrets only the SHA-256 is kept, but the signing secret, which is encrypted.

    After a rotation the secret before the newest works until `previous_expires_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=200)
    environment = models.CharField(max_length=4, choices=[("live", "live"), ("test", "test")], default="live")
    prefix = models.CharField(max_length=8, editable=False)
    secret_sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    previous_sha256 = models.BinaryField(max_length=32, unique=True, null=True, editable=False)
    previous_expires_at = models.DateTimeField(null=True, editable=False)
    projects = models.ManyToManyField(Project, related_name="api_keys")
    permissions = ArrayField(models.CharField(max_length=64), default=list)
    rate_limit_tier = models.CharField(max_length=20, choices=ROLE_CHOICES, default="viewer")
    allowed_ips = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        validators=[validate_networks],
        help_text="Networks (CIDR) that the key works from; none: everywhere.",
    )
    signing = models.CharField(
        max_length=8, choices=[("off", "off"), ("required", "required")], default="off", editable=False
    )
    signing_secret = models.BinaryField(null=True, editable=False)
    previous_signing_secret = models.BinaryField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    row_version = models.IntegerField(default=1, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def status(self, *, now: datetime) -> str:
        """Return `active`, `rotating`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "rotating" if self.previous_expires_at is not None and self.previous_expires_at > now else "active"


class ApiKeyUse(models.Model):
    """When a key was last used, to the minute. Apart from the key: uses change nothing of what it may do."""

    key = models.OneToOneField(ApiKey, primary_key=True, on_delete=models.CASCADE, related_name="use")
    last_used_at = models.DateTimeField()

    class Meta:
        db_table = "key_uses"

    def __str__(self) -> str:
        return f"{self.key_id} at {self.last_used_at:%Y-%m-%d %H:%M}"


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


class AuditEntry(models.Model):
    """One act, successful or not. Rows are only added; those past their limit are dropped."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No foreign keys: an entry outlives what it tells of.
    organisation_id = models.IntegerField(null=True)
    ts = models.DateTimeField(db_default=Now())
    user_id = models.UUIDField(null=True)
    key_id = models.UUIDField(null=True)
    action = models.CharField(max_length=10)
    resource_type = models.CharField(max_length=64)
    resource_id = models.CharField(max_length=200, null=True)
    success = models.BooleanField()
    ip_address = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=400)
    request_id = models.CharField(max_length=64)
    duration_ms = models.IntegerField()
    status_code = models.SmallIntegerField()
    changes = models.JSONField(default=list)

    class Meta:
        db_table = "audit_log"
        indexes: ClassVar = [
            # The list of an organisation, newest first, by keyset.
            models.Index(fields=["organisation_id", "-ts", "-id"], name="audit_log_newest"),
            # What retention drops.
            models.Index(fields=["ts"], name="audit_log_age"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.resource_type} at {self.ts:%Y-%m-%d %H:%M:%S}"
