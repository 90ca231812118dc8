"""Series of the error replies."""

from prometheus_client import Counter

ERRORS = Counter("api_errors_total", "Error replies by catalogue number.", ["code"])
