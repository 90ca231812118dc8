"""Every variable of the environment with its type, default and meaning, as data; `observatory.env` reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analytics.registry.redaction import DEFAULT_DETECTORS, DETECTOR_NAMES, MODES
from observatory.env_values import (
    address,
    algorithm,
    base_url,
    boolean,
    cache_policies,
    comma_list,
    decimal,
    networks,
    one_of,
    pem,
    secret,
    some_of,
    text,
    whole,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable: how its text is read, what holds without it (`None`: no value), what it means."""

    name: str
    read: Callable[[str], Any]
    default: Any = None
    required: bool = False
    meaning: str


LOOPBACK_AND_PRIVATE = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
_POSTGRES, _REDIS = address("postgresql", "postgres"), address("redis", "rediss", "unix")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="DATABASE_URL", read=_POSTGRES, required=True, meaning="Database of the service, as its limited role."
    ),
    Setting(
        name="DATABASE_READONLY_URL",
        read=_POSTGRES,
        meaning="A streaming standby of the same database, where analytic routes read; without one they read there.",
    ),
    Setting(
        name="DATABASE_MIGRATION_URL",
        read=_POSTGRES,
        meaning="The same database as its owner: used by `migrate --database owner` only.",
    ),
    Setting(name="DATABASE_POOL_SIZE", read=whole(1, 1000), default=20, meaning="Connections of all web processes."),
    Setting(name="REDIS_URL", read=_REDIS, meaning="Redis or Valkey; without it the four parts below are used."),
    Setting(name="REDIS_HOST", read=text, default="localhost", meaning="Host of Redis."),
    Setting(name="REDIS_PORT", read=whole(1, 65535), default=6379, meaning="Port of Redis."),
    Setting(name="REDIS_DB", read=whole(0, 65535), default=0, meaning="Database number of Redis."),
    Setting(name="REDIS_PASSWORD", read=text, default="", meaning="Password of Redis."),
    Setting(name="SECRET_KEY", read=secret, required=True, meaning="Signs cursors and admin sessions."),
    Setting(
        name="SECRET_ENCRYPTION_KEY",
        read=secret,
        meaning="Encrypts signing secrets at rest; default: derived from SECRET_KEY.",
    ),
    Setting(name="JWT_SECRET", read=secret, meaning="Signs access tokens; required with HS256."),
    Setting(
        name="JWT_ALGORITHM", read=algorithm, default="HS256", meaning="HS256, or RS256 with one of the three below."
    ),
    Setting(
        name="JWT_PRIVATE_KEY",
        read=pem,
        default="",
        meaning="Signs with RS256 (PEM); without it tokens are only verified.",
    ),
    Setting(name="JWT_PUBLIC_KEY", read=pem, default="", meaning="Verifies RS256 (PEM)."),
    Setting(
        name="JWT_JWKS_URL",
        read=base_url,
        default="",
        meaning="Key set that verifies RS256 when there is no public key.",
    ),
    Setting(name="JWT_EXPIRATION", read=whole(1), default=3600, meaning="Seconds an access token lives."),
    Setting(name="JWT_REFRESH_EXPIRATION", read=whole(1), default=604_800, meaning="Seconds a refresh token lives."),
    Setting(name="JWT_LEEWAY_SECONDS", read=whole(0, 300), default=30, meaning="Clock skew tolerated in tokens."),
    Setting(name="JWT_REQUIRE_ISS_AUD", read=boolean, default=False, meaning="Tokens must carry issuer and audience."),
    Setting(name="SIGNATURE_WINDOW_SECONDS", read=whole(1, 86_400), default=300, meaning="How old a signature may be."),
    Setting(
        name="SIGNATURE_NONCE_SECONDS",
        read=whole(1, 172_800),
        default=600,
        meaning="How long a nonce is remembered; at least twice the window.",
    ),
    Setting(
        name="KEY_ROTATION_OVERLAP_SECONDS",
        read=whole(0, 31_536_000),
        default=86_400,
        meaning="How long a rotated key's old secret works, unless the call says.",
    ),
    Setting(
        name="KEY_ROTATION_OVERLAP_MAX_SECONDS",
        read=whole(0, 31_536_000),
        default=604_800,
        meaning="The longest such time that a call may ask for.",
    ),
    Setting(
        name="IDEMPOTENCY_TTL_SECONDS",
        read=whole(1, 2_592_000),
        default=86_400,
        meaning="How long a reply is kept for its Idempotency-Key.",
    ),
    Setting(name="RETENTION_AUDIT_DAYS", read=whole(1, 36_500), default=90, meaning="Days audit entries are kept."),
    Setting(name="AUDIT_READS", read=boolean, default=False, meaning="Reads and searches of traces are audited too."),
    Setting(name="OBSERVATORY_HOME", read=text, default="./.observatory", meaning="Data folder of `up`."),
    Setting(name="APP_HOST", read=text, default="0.0.0.0", meaning="Address the web process listens on."),  # noqa: S104  a service is reached from outside
    Setting(name="API_PORT", read=whole(1, 65535), default=8080, meaning="Port the web process listens on."),
    Setting(name="API_BASE_URL", read=base_url, meaning="Where clients reach the service."),
    Setting(name="DOCS_BASE_URL", read=base_url, meaning="Where the error pages are; default API_BASE_URL."),
    Setting(name="LIVE_PORT", read=whole(1, 65535), meaning="Port the live process listens on; default API_PORT + 1."),
    Setting(
        name="LIVE_BASE_URL",
        read=base_url,
        meaning="Where clients reach streams; default API_BASE_URL with LIVE_PORT. A proxy that has both under one host"
        " sets it to API_BASE_URL.",
    ),
    Setting(name="WEB_CONCURRENCY", read=whole(1, 256), default=4, meaning="Web processes."),
    Setting(
        name="GRANIAN_BLOCKING_THREADS",
        read=whole(1, 1000),
        meaning="Threads of one web process, which granian reads too; default DATABASE_POOL_SIZE ÷ WEB_CONCURRENCY.",
    ),
    Setting(
        name="DRAIN_DELAY_SECONDS",
        read=whole(0, 600),
        default=5,
        meaning="Readiness is 503 this long before `up` tells the web process to stop.",
    ),
    Setting(
        name="SHUTDOWN_GRACE_SECONDS", read=whole(1, 600), default=25, meaning="What running requests get to finish."
    ),
    Setting(
        name="TRUSTED_PROXY_COUNT",
        read=whole(0, 16),
        default=0,
        meaning="Proxies in front; the client is that place from the right in X-Forwarded-For.",
    ),
    Setting(
        name="REQUEST_TIMEOUT_SECONDS",
        read=whole(2, 3600),
        default=30,
        meaning="What a request may take; one statement gets two seconds less.",
    ),
    Setting(name="CORS_ORIGINS", read=comma_list, default=("*",), meaning="Origins that may call from a browser."),
    Setting(name="CORS_MAX_AGE", read=whole(0), default=3600, meaning="Seconds a preflight may be cached."),
    Setting(name="MAX_BODY_BYTES", read=whole(1024), default=10_485_760, meaning="Largest JSON body."),
    Setting(name="INGEST_MAX_BODY_BYTES", read=whole(1024), default=67_108_864, meaning="Largest OTLP body, unpacked."),
    Setting(name="INGEST_MAX_SPAN_BYTES", read=whole(1024), default=4_194_304, meaning="Largest span, encoded."),
    Setting(name="INGEST_MAX_ATTRIBUTES", read=whole(1), default=1000, meaning="Most attributes of a span."),
    Setting(name="INGEST_MAX_TEXT_CHARS", read=whole(256), default=262_144, meaning="Longest text kept of one value."),
    Setting(name="INGEST_MAX_FUTURE_SECONDS", read=whole(0), default=600, meaning="How far ahead a span may start."),
    Setting(
        name="INGEST_SPANS_PER_TOKEN", read=whole(1), default=1000, meaning="Spans that one token of ingest pays for."
    ),
    Setting(
        name="INGEST_MAX_CONCURRENCY",
        read=whole(1, 10_000),
        meaning="Export requests that one web process takes at a time; more are told to come again. Default, and most:"
        " four fifths of its threads.",
    ),
    Setting(name="REJECTED_KEEP_DAYS", read=whole(1, 365), default=7, meaning="Days rejected spans are listed."),
    Setting(
        name="REJECTED_MAX_PER_PROJECT",
        read=whole(0, 1_000_000),
        default=10_000,
        meaning="Rejected spans listed of a project; the oldest go first.",
    ),
    Setting(
        name="READ_AFTER_MAX_WAIT_MS",
        read=whole(0, 30_000),
        default=2000,
        meaning="Longest wait of a read for the position in X-Read-After.",
    ),
    Setting(
        name="USAGE_EXCLUSIVE_SCOPES",
        read=comma_list,
        default=(),
        meaning="Instrumentation scopes whose token totals leave out their cached parts.",
    ),
    Setting(
        name="REDACTION_MODE", read=one_of(*MODES), default="mask", meaning="What new projects do with personal data."
    ),
    Setting(
        name="REDACTION_DETECTORS",
        read=some_of(*DETECTOR_NAMES),
        default=DEFAULT_DETECTORS,
        meaning="Kinds of personal data that new projects redact.",
    ),
    Setting(name="RETENTION_SPANS_DAYS", read=whole(1, 3650), default=90, meaning="Days spans are kept."),
    Setting(
        name="RETENTION_MINUTE_DAYS", read=whole(2, 36_500), default=37, meaning="Days rollups by minute are kept."
    ),
    Setting(name="RETENTION_HOUR_DAYS", read=whole(2, 36_500), default=210, meaning="Days rollups by hour are kept."),
    Setting(name="RETENTION_DAY_DAYS", read=whole(2, 36_500), default=1095, meaning="Days rollups by day are kept."),
    Setting(
        name="RETENTION_CONTENT_ENABLED",
        read=boolean,
        default=False,
        meaning="Texts, messages and attributes go before their spans.",
    ),
    Setting(
        name="RETENTION_CONTENT_DAYS",
        read=whole(2, 36_500),
        default=30,
        meaning="Days content is kept when RETENTION_CONTENT_ENABLED.",
    ),
    Setting(name="DELETE_STEP_ROWS", read=whole(1), default=10_000, meaning="Rows that one step of deleting takes."),
    Setting(
        name="COMPRESS_AFTER_DAYS",
        read=whole(1, 3650),
        default=7,
        meaning="Age in days from which spans are compressed (TimescaleDB).",
    ),
    Setting(
        name="PARTITIONS_AHEAD_DAYS", read=whole(1, 60), default=7, meaning="Days of partitions made ahead of need."
    ),
    Setting(name="TIME_GRID_SECONDS", read=whole(1, 3600), default=60, meaning="Grid on which `now` is rounded up."),
    Setting(
        name="TRACES_DEFAULT_WINDOW_HOURS", read=whole(1), default=24, meaning="Range of a trace list without one."
    ),
    Setting(name="TRACES_MAX_RANGE_DAYS", read=whole(1), default=90, meaning="Longest range of a trace list."),
    Setting(
        name="METRICS_MAX_RANGE_DAYS",
        read=whole(1),
        default=90,
        meaning="Longest range of metrics, users, sessions.",
    ),
    Setting(name="METRICS_MAX_ROWS", read=whole(1), default=10_000, meaning="Most rows of a metrics query."),
    Setting(name="METRICS_MAX_NAMES", read=whole(1), default=20, meaning="Most metrics of a query."),
    Setting(name="METRICS_MAX_DIMENSIONS", read=whole(1), default=5, meaning="Most dimensions that a query groups by."),
    Setting(name="METRICS_MAX_HAVING", read=whole(1), default=10, meaning="Most conditions on figures of a query."),
    Setting(name="ANALYTICS_MAX_RANGE_DAYS", read=whole(1), default=365, meaning="Longest range of analytics."),
    Setting(name="PAGE_DEFAULT_LIMIT", read=whole(1), default=50, meaning="Items of a page."),
    Setting(name="PAGE_MAX_LIMIT", read=whole(1), default=1000, meaning="Most items of a page."),
    Setting(name="OFFSET_DEFAULT_LIMIT", read=whole(1), default=20, meaning="Items of a page that is asked by offset."),
    Setting(name="OFFSET_MAX_LIMIT", read=whole(1), default=100, meaning="Most items of a page by offset."),
    Setting(name="MAX_TEXT_PARAMETER_CHARS", read=whole(1), default=10_000, meaning="Longest text parameter."),
    Setting(name="MAX_ARRAY_ITEMS", read=whole(1), default=1000, meaning="Most items of a list in a request."),
    Setting(name="FILTER_MAX_DEPTH", read=whole(1, 100), default=10, meaning="Most levels of a filter."),
    Setting(name="FILTER_MAX_LEAVES", read=whole(1), default=100, meaning="Most comparisons of a filter."),
    Setting(name="FILTER_MAX_VALUES", read=whole(1), default=1000, meaning="Most values of one comparison."),
    Setting(name="FILTER_MAX_REGEX_CHARS", read=whole(1), default=256, meaning="Longest regular expression."),
    Setting(name="TRACE_MAX_INLINE_SPANS", read=whole(1), default=1000, meaning="Most spans inside a trace detail."),
    Setting(name="RATE_LIMIT_ENABLED", read=boolean, default=True, meaning="Off: no limit and no headers."),
    Setting(name="RATE_LIMIT_ADMIN", read=whole(1), default=100_000, meaning="Tokens per minute of role admin."),
    Setting(name="RATE_LIMIT_DEVELOPER", read=whole(1), default=10_000, meaning="Tokens per minute of developer."),
    Setting(name="RATE_LIMIT_VIEWER", read=whole(1), default=1000, meaning="Tokens per minute of viewer."),
    Setting(name="RATE_LIMIT_BILLING", read=whole(1), default=1000, meaning="Tokens per minute of billing."),
    Setting(name="RATE_LIMIT_INGEST", read=whole(1), default=60_000, meaning="Tokens per minute of ingest."),
    Setting(name="RATE_LIMIT_ANONYMOUS", read=whole(1), default=60, meaning="Tokens per minute of one address."),
    Setting(name="RATE_LIMIT_CLASS_QUERY", read=whole(1), default=100, meaning="Metrics queries per minute."),
    Setting(name="RATE_LIMIT_CLASS_COMPARE", read=whole(1), default=50, meaning="Model comparisons per minute."),
    Setting(name="RATE_LIMIT_CLASS_EXPORT", read=whole(1), default=10, meaning="Exports begun per minute."),
    Setting(name="RATE_LIMIT_CLASS_AUTH", read=whole(1), default=20, meaning="Sign-in attempts per minute."),
    Setting(name="RATE_LIMIT_CLASS_SEARCH", read=whole(1), default=100, meaning="Trace searches per minute."),
    Setting(name="RATE_LIMIT_BURST_FACTOR", read=decimal, default=1.2, meaning="Capacity over the minute rate."),
    Setting(name="RATE_LIMIT_TIMEOUT_MS", read=whole(1), default=50, meaning="Longest wait for Redis."),
    Setting(name="RATE_LIMIT_RETRY_SECONDS", read=whole(1), default=1, meaning="Pause before Redis is tried again."),
    Setting(
        name="RATE_LIMIT_LOCAL_DIVISOR",
        read=whole(1),
        meaning="Share of one process while Redis is away; default WEB_CONCURRENCY.",
    ),
    Setting(name="CACHE_DEFAULT_TTL", read=whole(0, 86_400), default=60, meaning="Seconds figures and lists are kept."),
    Setting(name="CACHE_FORECAST_TTL", read=whole(0, 86_400), default=300, meaning="Seconds forecasts are kept."),
    Setting(name="CACHE_LABELS_TTL", read=whole(0, 86_400), default=300, meaning="Seconds labels are kept."),
    Setting(name="CACHE_TRACE_TTL", read=whole(0, 86_400), default=300, meaning="Seconds a trace is kept."),
    Setting(
        name="CACHE_OPEN_SECONDS",
        read=whole(0, 3600),
        default=5,
        meaning="Data of the running hour are looked at this often; 0: by every request.",
    ),
    Setting(
        name="CACHE_POLICY_OVERRIDES",
        read=cache_policies,
        default={},
        meaning="JSON of route to {ttl, etag, last_modified}: how that route is cached.",
    ),
    Setting(
        name="CACHE_MAX_ENTRY_BYTES", read=whole(0), default=1_048_576, meaning="Longest body that Redis is given."
    ),
    Setting(
        name="CACHE_LOCK_SECONDS",
        read=whole(1, 600),
        default=10,
        meaning="How long one request may compute for others.",
    ),
    Setting(name="CACHE_WAIT_SECONDS", read=whole(0, 60), default=5, meaning="How long the others wait for it."),
    Setting(name="STREAM_MAX_SUBSCRIPTIONS", read=whole(1, 10_000), default=50, meaning="Subscriptions of a stream."),
    Setting(name="STREAM_MAX_CONNECTIONS", read=whole(1, 100_000), default=20, meaning="Open streams of one caller."),
    Setting(
        name="STREAM_QUEUE_EVENTS",
        read=whole(1, 1_000_000),
        default=1000,
        meaning="Unsent events that a stream holds before its oldest are dropped; most events told of one request.",
    ),
    Setting(
        name="STREAM_REPLAY_EVENTS",
        read=whole(0, 10_000_000),
        default=10_000,
        meaning="Events of an organisation that are kept for streams that resume.",
    ),
    Setting(
        name="STREAM_HEARTBEAT_SECONDS",
        read=whole(1, 3600),
        default=30,
        meaning="Streams get a sign of life this often; a WebSocket silent for twice as long is closed.",
    ),
    Setting(
        name="THRESHOLD_EVALUATION_SECONDS",
        read=whole(1, 3600),
        default=60,
        meaning="How often the thresholds of subscribers are judged.",
    ),
    Setting(
        name="BUDGET_EVALUATION_SECONDS",
        read=whole(60, 86_400),
        default=60,
        meaning="How often the worker sums what budgets are for.",
    ),
    Setting(
        name="ALERT_ALLOWED_NETWORKS",
        read=networks,
        default=(),
        meaning="Private networks that channels may reach, such as 10.1.2.0/24; without it only public addresses are.",
    ),
    Setting(
        name="EMAIL_URL",
        read=address("smtp", "smtp+tls", "smtp+ssl"),
        default="",
        meaning="Mail server of channels: smtp+tls://user:password@host:587. Without one e-mail channels are refused.",
    ),
    Setting(
        name="EMAIL_FROM",
        read=text,
        default="LLM Observatory <observatory@localhost>",
        meaning="Who e-mails come from.",
    ),
    Setting(name="TICKET_TTL_SECONDS", read=whole(1, 3600), default=30, meaning="How long a stream's ticket is good."),
    Setting(
        name="EXPORT_DIR",
        read=text,
        default="./exports",
        meaning="Folder of exported files, and of those that are being written.",
    ),
    Setting(
        name="EXPORT_S3_BUCKET",
        read=text,
        default="",
        meaning="Bucket that finished files go to instead; credentials as boto3 finds them (AWS_ACCESS_KEY_ID …).",
    ),
    Setting(name="EXPORT_S3_ENDPOINT", read=base_url, default="", meaning="Address of a store that is not Amazon's."),
    Setting(name="EXPORT_S3_REGION", read=text, default="", meaning="Region of the bucket."),
    Setting(name="EXPORT_S3_PREFIX", read=text, default="", meaning="Folder inside the bucket."),
    Setting(
        name="EXPORT_MAX_ROWS", read=whole(1), default=10_000_000, meaning="Most spans of one export; more are refused."
    ),
    Setting(
        name="EXPORT_STEP_ROWS",
        read=whole(100, 1_000_000),
        default=10_000,
        meaning="Spans after which an export is on disk and looks for its cancellation.",
    ),
    Setting(
        name="EXPORT_MAX_OPEN_JOBS", read=whole(1, 1000), default=5, meaning="Unfinished exports of an organisation."
    ),
    Setting(name="EXPORT_TTL_DAYS", read=whole(1, 3650), default=7, meaning="Days an exported file is kept."),
    Setting(
        name="EXPORT_PURGE_DAYS",
        read=whole(0, 3650),
        default=7,
        meaning="Days an export is listed after its file went.",
    ),
    Setting(
        name="METRICS_ALLOWED_NETWORKS",
        read=networks,
        default=networks(LOOPBACK_AND_PRIVATE),
        meaning="Networks that may read /metrics.",
    ),
    Setting(name="METRICS_TOKEN", read=text, default="", meaning="Bearer token that may read /metrics."),
    Setting(name="PROMETHEUS_MULTIPROC_DIR", read=text, meaning="Folder in which processes share their counters."),
    Setting(
        name="LOG_LEVEL",
        read=one_of("debug", "info", "warning", "error"),
        default="info",
        meaning="Least level that is logged.",
    ),
    Setting(name="LOG_FORMAT", read=one_of("json", "console"), default="json", meaning="Form of log lines."),
    Setting(name="SLOW_QUERY_MS", read=whole(1), default=1000, meaning="Statements above this are logged."),
)
