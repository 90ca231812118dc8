"""Replies that answer an error in a form of their own."""

from django.http import HttpResponse


class OwnErrorResponse(HttpResponse):
    """A reply whose body stays as it is whatever its status: health, OTLP."""

    own_error_body = True
