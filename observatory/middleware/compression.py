"""gzip for replies of 200 bytes and more."""

from django.middleware.gzip import GZipMiddleware


class CompressionMiddleware(GZipMiddleware):
    """Django's own; its random filename padding keeps compressed lengths from telling secrets."""
