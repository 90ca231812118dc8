"""Every setting of the service. Values come from `observatory.env`; environment modules only differ from this."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import environ

from observatory.env import BASE_DIR, check_token_keys, read
from observatory.env_values import with_port
from ratelimit.connections import opened

DEBUG = False
SECRET_KEY: str = read("SECRET_KEY")
ALLOWED_HOSTS = ["*"]  # the service answers JSON to whoever holds a key and builds no link from the Host header
ROOT_URLCONF = "observatory.urls"
WSGI_APPLICATION = "observatory.wsgi.application"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "observatory.accounts",
    "observatory",
    "observatory.pages",
    "analytics",
    "ratelimit",
    "errors",
    "observatory.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "rest_framework",
]

# Outermost first; the four of the admin do nothing but there and on the pages.
MIDDLEWARE = [
    "observatory.middleware.again.AskedAgainMiddleware",
    "observatory.middleware.requests.RequestContextMiddleware",
    "observatory.middleware.headers.SecurityHeadersMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "observatory.middleware.metrics.MetricsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "observatory.middleware.compression.CompressionMiddleware",
    "observatory.middleware.pages.PagesMiddleware",
    "errors.middleware.ErrorEnvelopeMiddleware",
    "observatory.middleware.deadline.DeadlineMiddleware",
    "observatory.middleware.conditional.ConditionalMiddleware",
    "observatory.middleware.audit.AuditMiddleware",
    "observatory.middleware.admin.AdminSessionMiddleware",
    "observatory.middleware.admin.AdminCsrfMiddleware",
    "observatory.middleware.admin.AdminAuthenticationMiddleware",
    "observatory.middleware.admin.AdminMessageMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
LOGIN_URL = "/app/sign-in"
WHITENOISE_USE_FINDERS = True  # files come straight from the packages: no collectstatic step
WHITENOISE_AUTOREFRESH = False

# --- identity ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
check_token_keys()
JWT_SECRET: str = read("JWT_SECRET") or ""
JWT_ALGORITHM: str = read("JWT_ALGORITHM")
JWT_PRIVATE_KEY: str = read("JWT_PRIVATE_KEY")
JWT_PUBLIC_KEY: str = read("JWT_PUBLIC_KEY")
JWT_JWKS_URL: str = read("JWT_JWKS_URL")
JWT_EXPIRATION: int = read("JWT_EXPIRATION")
JWT_REFRESH_EXPIRATION: int = read("JWT_REFRESH_EXPIRATION")
JWT_LEEWAY_SECONDS: int = read("JWT_LEEWAY_SECONDS")
JWT_REQUIRE_ISS_AUD: bool = read("JWT_REQUIRE_ISS_AUD")
JWT_ISSUER = "llm-observatory"
JWT_AUDIENCE = "llm-observatory-api"
SECRET_ENCRYPTION_KEY: str = read("SECRET_ENCRYPTION_KEY") or SECRET_KEY
SIGNATURE_WINDOW_SECONDS: int = read("SIGNATURE_WINDOW_SECONDS")
SIGNATURE_NONCE_SECONDS: int = read("SIGNATURE_NONCE_SECONDS")
KEY_ROTATION_OVERLAP_SECONDS: int = read("KEY_ROTATION_OVERLAP_SECONDS")
KEY_ROTATION_OVERLAP_MAX_SECONDS: int = read("KEY_ROTATION_OVERLAP_MAX_SECONDS")
IDEMPOTENCY_TTL_SECONDS: int = read("IDEMPOTENCY_TTL_SECONDS")
RETENTION_AUDIT_DAYS: int = read("RETENTION_AUDIT_DAYS")
AUDIT_READS: bool = read("AUDIT_READS")
TRUSTED_PROXY_COUNT: int = read("TRUSTED_PROXY_COUNT")

# --- stores -----------------------------------------------------------------------------------------------------------
_env = environ.Env()
WEB_CONCURRENCY: int = read("WEB_CONCURRENCY")
DATABASE_POOL_SIZE: int = read("DATABASE_POOL_SIZE")
WEB_THREADS: int = read("GRANIAN_BLOCKING_THREADS") or max(1, DATABASE_POOL_SIZE // WEB_CONCURRENCY)


def _database(url: str) -> dict[str, Any]:
    config: dict[str, Any] = _env.db_url_config(url)
    return config | {
        "ENGINE": "observatory.database",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {**config.get("OPTIONS", {}), "connect_timeout": 5},
    }


DATABASES = {"default": _database(read("DATABASE_URL"))}
if read("DATABASE_READONLY_URL"):
    DATABASES["standby"] = _database(read("DATABASE_READONLY_URL"))
if read("DATABASE_MIGRATION_URL"):
    DATABASES["owner"] = _database(read("DATABASE_MIGRATION_URL"))

REDIS_URL: str = read("REDIS_URL") or "redis://{auth}{host}:{port}/{db}".format(
    auth=f":{read('REDIS_PASSWORD')}@" if read("REDIS_PASSWORD") else "",
    host=read("REDIS_HOST"),
    port=read("REDIS_PORT"),
    db=read("REDIS_DB"),
)
RATE_LIMIT_TIMEOUT_MS: int = read("RATE_LIMIT_TIMEOUT_MS")
CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "llmo",
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": RATE_LIMIT_TIMEOUT_MS / 1000,
            "SOCKET_TIMEOUT": RATE_LIMIT_TIMEOUT_MS / 1000,
            "CONNECTION_POOL_KWARGS": {"redis_connect_func": opened},
        },
    }
}

# --- addresses and headers --------------------------------------------------------------------------------------------
API_PORT: int = read("API_PORT")
API_BASE_URL: str = read("API_BASE_URL") or f"http://localhost:{API_PORT}"
LIVE_PORT: int = read("LIVE_PORT") or API_PORT + 1
LIVE_BASE_URL: str = read("LIVE_BASE_URL") or with_port(API_BASE_URL, LIVE_PORT)
DOCS_BASE_URL: str = read("DOCS_BASE_URL") or API_BASE_URL
# Sessions exist on the admin's paths and the pages' alone; forms there are taken from the service's own address.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = API_BASE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [urlunsplit(urlsplit(API_BASE_URL)._replace(path="", query="", fragment=""))]
REQUEST_TIMEOUT_SECONDS: int = read("REQUEST_TIMEOUT_SECONDS")
CORS_ORIGINS: tuple[str, ...] = read("CORS_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ORIGINS
CORS_ALLOWED_ORIGINS = [origin for origin in CORS_ORIGINS if origin != "*"]
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    "authorization",
    "cache-control",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "last-event-id",
    "range",
    "traceparent",
    "x-api-key",
    "x-project-id",
    "x-read-after",
    "x-request-id",
    "x-signature",
    "x-signature-nonce",
    "x-signature-timestamp",
]
CORS_EXPOSE_HEADERS = [
    "Accept-Ranges",
    "Age",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotency-Replayed",
    "Last-Modified",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Repr-Digest",
    "Retry-After",
    "X-Cache",
    "X-Ingest-Position",
    "X-RateLimit-Degraded",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-ID",
]
CORS_PREFLIGHT_MAX_AGE: int = read("CORS_MAX_AGE")
MAX_BODY_BYTES: int = read("MAX_BODY_BYTES")
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# --- limits and windows -----------------------------------------------------------------------------------------------
TIME_GRID_SECONDS: int = read("TIME_GRID_SECONDS")
TRACES_DEFAULT_WINDOW_HOURS: int = read("TRACES_DEFAULT_WINDOW_HOURS")
TRACES_MAX_RANGE_DAYS: int = read("TRACES_MAX_RANGE_DAYS")
METRICS_MAX_RANGE_DAYS: int = read("METRICS_MAX_RANGE_DAYS")
METRICS_MAX_ROWS: int = read("METRICS_MAX_ROWS")
METRICS_MAX_NAMES: int = read("METRICS_MAX_NAMES")
METRICS_MAX_DIMENSIONS: int = read("METRICS_MAX_DIMENSIONS")
METRICS_MAX_HAVING: int = read("METRICS_MAX_HAVING")
ANALYTICS_MAX_RANGE_DAYS: int = read("ANALYTICS_MAX_RANGE_DAYS")
PAGE_DEFAULT_LIMIT: int = read("PAGE_DEFAULT_LIMIT")
PAGE_MAX_LIMIT: int = read("PAGE_MAX_LIMIT")
OFFSET_DEFAULT_LIMIT: int = read("OFFSET_DEFAULT_LIMIT")
OFFSET_MAX_LIMIT: int = read("OFFSET_MAX_LIMIT")
MAX_TEXT_PARAMETER_CHARS: int = read("MAX_TEXT_PARAMETER_CHARS")
MAX_ARRAY_ITEMS: int = read("MAX_ARRAY_ITEMS")
FILTER_MAX_DEPTH: int = read("FILTER_MAX_DEPTH")
FILTER_MAX_LEAVES: int = read("FILTER_MAX_LEAVES")
FILTER_MAX_VALUES: int = read("FILTER_MAX_VALUES")
FILTER_MAX_REGEX_CHARS: int = read("FILTER_MAX_REGEX_CHARS")
# Of one statement, below the 30 s that a request may take; routes with a class of their own have more than others.
STATEMENT_TIMEOUT_MS, QUERY_TIMEOUT_MS = 20_000, 25_000
TRACE_MAX_INLINE_SPANS: int = read("TRACE_MAX_INLINE_SPANS")
RETENTION_SPANS_DAYS: int = read("RETENTION_SPANS_DAYS")
RETENTION_MINUTE_DAYS: int = read("RETENTION_MINUTE_DAYS")
RETENTION_HOUR_DAYS: int = read("RETENTION_HOUR_DAYS")
RETENTION_DAY_DAYS: int = read("RETENTION_DAY_DAYS")
RETENTION_CONTENT_ENABLED: bool = read("RETENTION_CONTENT_ENABLED")
RETENTION_CONTENT_DAYS: int = read("RETENTION_CONTENT_DAYS")
DELETE_STEP_ROWS: int = read("DELETE_STEP_ROWS")
COMPRESS_AFTER_DAYS: int = read("COMPRESS_AFTER_DAYS")
PARTITIONS_AHEAD_DAYS: int = read("PARTITIONS_AHEAD_DAYS")

INGEST_MAX_BODY_BYTES: int = read("INGEST_MAX_BODY_BYTES")
INGEST_MAX_SPAN_BYTES: int = read("INGEST_MAX_SPAN_BYTES")
INGEST_MAX_ATTRIBUTES: int = read("INGEST_MAX_ATTRIBUTES")
INGEST_MAX_TEXT_CHARS: int = read("INGEST_MAX_TEXT_CHARS")
INGEST_MAX_FUTURE_SECONDS: int = read("INGEST_MAX_FUTURE_SECONDS")
INGEST_SPANS_PER_TOKEN: int = read("INGEST_SPANS_PER_TOKEN")
# A bound that the threads of a process cannot reach would never hold, and reads need threads too.
_MOST_INGESTING = max(1, WEB_THREADS - max(1, WEB_THREADS // 5))
INGEST_MAX_CONCURRENCY: int = min(read("INGEST_MAX_CONCURRENCY") or _MOST_INGESTING, _MOST_INGESTING)
REJECTED_KEEP_DAYS: int = read("REJECTED_KEEP_DAYS")
REJECTED_MAX_PER_PROJECT: int = read("REJECTED_MAX_PER_PROJECT")
READ_AFTER_MAX_WAIT_MS: int = read("READ_AFTER_MAX_WAIT_MS")
USAGE_EXCLUSIVE_SCOPES: tuple[str, ...] = read("USAGE_EXCLUSIVE_SCOPES")
REDACTION_MODE: str = read("REDACTION_MODE")
REDACTION_DETECTORS: tuple[str, ...] = read("REDACTION_DETECTORS")

RATE_LIMIT_ENABLED: bool = read("RATE_LIMIT_ENABLED")
RATE_LIMIT_PER_MINUTE: dict[str, int] = {
    "admin": read("RATE_LIMIT_ADMIN"),
    "developer": read("RATE_LIMIT_DEVELOPER"),
    "viewer": read("RATE_LIMIT_VIEWER"),
    "billing": read("RATE_LIMIT_BILLING"),
    "ingest": read("RATE_LIMIT_INGEST"),
    "anonymous": read("RATE_LIMIT_ANONYMOUS"),
    "query": read("RATE_LIMIT_CLASS_QUERY"),
    "compare": read("RATE_LIMIT_CLASS_COMPARE"),
    "export": read("RATE_LIMIT_CLASS_EXPORT"),
    "auth": read("RATE_LIMIT_CLASS_AUTH"),
    "search": read("RATE_LIMIT_CLASS_SEARCH"),
}
RATE_LIMIT_BURST_FACTOR: float = read("RATE_LIMIT_BURST_FACTOR")
RATE_LIMIT_RETRY_SECONDS: int = read("RATE_LIMIT_RETRY_SECONDS")
RATE_LIMIT_LOCAL_DIVISOR: int = read("RATE_LIMIT_LOCAL_DIVISOR") or WEB_CONCURRENCY

CACHE_DEFAULT_TTL: int = read("CACHE_DEFAULT_TTL")
CACHE_FORECAST_TTL: int = read("CACHE_FORECAST_TTL")
CACHE_LABELS_TTL: int = read("CACHE_LABELS_TTL")
CACHE_TRACE_TTL: int = read("CACHE_TRACE_TTL")
CACHE_OPEN_SECONDS: int = read("CACHE_OPEN_SECONDS")
CACHE_POLICY_OVERRIDES: dict[str, Any] = read("CACHE_POLICY_OVERRIDES")
CACHE_MAX_ENTRY_BYTES: int = read("CACHE_MAX_ENTRY_BYTES")
CACHE_LOCK_SECONDS: int = read("CACHE_LOCK_SECONDS")
CACHE_WAIT_SECONDS: int = read("CACHE_WAIT_SECONDS")

STREAM_MAX_SUBSCRIPTIONS: int = read("STREAM_MAX_SUBSCRIPTIONS")
STREAM_MAX_CONNECTIONS: int = read("STREAM_MAX_CONNECTIONS")
STREAM_QUEUE_EVENTS: int = read("STREAM_QUEUE_EVENTS")
STREAM_REPLAY_EVENTS: int = read("STREAM_REPLAY_EVENTS")
STREAM_HEARTBEAT_SECONDS: int = read("STREAM_HEARTBEAT_SECONDS")
THRESHOLD_EVALUATION_SECONDS: int = read("THRESHOLD_EVALUATION_SECONDS")
TICKET_TTL_SECONDS: int = read("TICKET_TTL_SECONDS")

BUDGET_EVALUATION_SECONDS: int = read("BUDGET_EVALUATION_SECONDS")
ALERT_ALLOWED_NETWORKS = read("ALERT_ALLOWED_NETWORKS")
EMAIL_URL: str = read("EMAIL_URL")
EMAIL_FROM: str = read("EMAIL_FROM")
vars().update(_env.email_url_config(EMAIL_URL or "smtp://localhost:25"))

EXPORT_DIR: Path = (BASE_DIR / read("EXPORT_DIR")).resolve()
EXPORT_S3_BUCKET: str = read("EXPORT_S3_BUCKET")
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is uploaded
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "exports": {
        "BACKEND": "analytics.exports.buckets.Bucket",
        "OPTIONS": {
            "bucket_name": EXPORT_S3_BUCKET,
            "endpoint_url": read("EXPORT_S3_ENDPOINT") or None,
            "region_name": read("EXPORT_S3_REGION") or None,
            "location": read("EXPORT_S3_PREFIX"),
            "default_acl": None,
            "file_overwrite": True,  # a name belongs to one export
        },
    },
}
EXPORT_MAX_ROWS: int = read("EXPORT_MAX_ROWS")
EXPORT_STEP_ROWS: int = read("EXPORT_STEP_ROWS")
EXPORT_MAX_OPEN_JOBS: int = read("EXPORT_MAX_OPEN_JOBS")
EXPORT_TTL_DAYS: int = read("EXPORT_TTL_DAYS")
EXPORT_PURGE_DAYS: int = read("EXPORT_PURGE_DAYS")

# --- observing the observatory ----------------------------------------------------------------------------------------
METRICS_ALLOWED_NETWORKS = read("METRICS_ALLOWED_NETWORKS")
METRICS_TOKEN: str = read("METRICS_TOKEN")
SLOW_QUERY_MS: int = read("SLOW_QUERY_MS")
LOGGING_CONFIG = "observatory.logs.configure"
LOGGING: dict[str, Any] = {"level": read("LOG_LEVEL"), "format": read("LOG_FORMAT")}

# --- libraries --------------------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["observatory.accounts.authentication.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["ratelimit.throttle.TokenBucketThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["errors.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["errors.parsing.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "errors.rendering.JSONNegotiation",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "errors.handler.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "LLM Observatory",
    "DESCRIPTION": "Analytics for LLM applications: OpenTelemetry spans in; cost, latency, quality and errors out.",
    "VERSION": "1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["observatory.docs.add_components"],
}
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # the headers of both are SecurityHeadersMiddleware's, on every reply
    "security.W002",
    "security.W003",  # CSRF is checked on the admin's paths only; the API takes no cookie
]
