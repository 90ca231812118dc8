"""The boundary: every exception that ends a request passes here once, is counted, and is logged if it is our fault."""

from typing import Any

import structlog
from django.http import HttpResponse
from rest_framework import status
from rest_framework.views import set_rollback

from errors.envelope import error_response
from errors.exceptions import ApiError
from errors.metrics import AUTH_FAILURES, ERRORS
from errors.specs import Category
from errors.translation import translate

logger = structlog.get_logger(__name__)


def to_api_error(exc: BaseException) -> ApiError:
    """Return the catalogue's error for `exc`, counted; with a traceback in the log when its status is 500 or above.

    Call it once per reply. The log line bears the request id that structlog's context holds.
    """
    error = translate(exc)
    ERRORS.labels(code=error.spec.code).inc()
    if error.spec.category is Category.AUTHENTICATION:
        AUTH_FAILURES.labels(code=error.spec.code).inc()
    if error.spec.status >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        logger.error("request_failed", code=error.spec.code, error_code=error.spec.error_code, exc_info=exc)
    return error


def handle(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """Return the error reply of a REST framework view, and roll back its transaction."""
    set_rollback()
    return error_response(to_api_error(exc), context["request"])
