"""The test client as a server stands before Django: what was asked a moment ago is answered without it."""

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponseBase
from django.test.client import ClientHandler

from observatory.middleware.again import AskedAgainFirst


class Handler(ClientHandler):
    """What every `django.test.Client` asks; each remembers what was asked of itself, as a web process does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._first = AskedAgainFirst(super().__call__)

    def __call__(self, environ: dict[str, Any]) -> HttpResponseBase:
        reply = self._first.meet(environ)
        if reply is None:
            return super().__call__(environ)
        response = reply.as_response()
        response.wsgi_request = WSGIRequest(environ)
        return response
