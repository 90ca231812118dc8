"""Series of the error replies."""

from prometheus_client import Counter

ERRORS = Counter("api_errors_total", "Error replies by catalogue number.", ["code"])
AUTH_FAILURES = Counter("auth_failures_total", "Requests whose credential was missing or refused.", ["code"])
