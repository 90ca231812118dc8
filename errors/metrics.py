"""Series of the error replies."""

from prometheus_client import Counter

from errors.catalog import CATALOGUE
from errors.specs import Category

ERRORS = Counter("api_errors_total", "Error replies by catalogue number.", ["code"])
AUTH_FAILURES = Counter("auth_failures_total", "Requests whose credential was missing or refused.", ["code"])
for _spec in CATALOGUE.values():
    if _spec.category is Category.AUTHENTICATION:
        AUTH_FAILURES.labels(_spec.code)  # from zero on: to Prometheus the first sample of a series is no rise
