"""Questions to the API, asked inside: the same view, permission, limit and kept replies as a client's call has."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.urls import resolve
from rest_framework.request import Request

from errors.json import dumps
from observatory.pages.viewers import Viewer
from ratelimit.throttle import charge_request

if TYPE_CHECKING:
    from analytics.api.views import AnalyticsView

API = "/api/v1"
# With Cache-Control: who reloads a page by force, or looks because something came, gets no kept reply.
_HANDED_ON = ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_CACHE_CONTROL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the API: its path below `/api/v1` and its parameters."""

    path: str
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def to(cls, path: str, query: Mapping[str, str]) -> "Call":
        """Return the call with the parameters that have a value."""
        return cls(path=path, query=tuple((name, value) for name, value in query.items() if value))

    @property
    def url(self) -> str:
        """The path and the parameters, as a client sends them."""
        query = f"?{urlencode(self.query)}" if self.query else ""
        return f"{API}{self.path}{query}"

    @property
    def curl(self) -> str:
        """The command that asks the same from a shell, with the token in a variable."""
        return f"""curl -sS -H "Authorization: Bearer $TOKEN" '{settings.API_BASE_URL}{self.url}'"""

    @property
    def open_curl(self) -> str:
        """The same for what is public: it is asked without a credential."""
        return f"curl -sS '{settings.API_BASE_URL}{self.url}'"


class Asker:
    """Asks in the name of a viewer, each question once. `outcomes` counts replies by what they say of the cache."""

    def __init__(self, request: HttpRequest, viewer: Viewer, *, charges: bool = True) -> None:
        self.request = request
        self.viewer = viewer
        self.charges = charges  # whether questions count against the viewer's limits
        self.outcomes: Counter[str] = Counter()
        self._known: dict[Call, dict[str, Any]] = {}

    def ask(self, call: Call) -> dict[str, Any]:
        """Return the body of the reply, its numbers exact; raise what the API would answer instead."""
        if call not in self._known:
            self._known[call] = self._asked(call)
        return self._known[call]

    def _asked(self, call: Call) -> dict[str, Any]:
        reply = self.reply(call)
        self.outcomes[reply.headers.get("X-Cache", "")] += 1
        return _exact(reply)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send `body` to a route and return what it answers; raise what the API would answer instead."""
        return _exact(self.reply(Call(path=path), body=dumps(body)))

    def reply(self, call: Call, *, body: bytes | None = None) -> Any:
        """Return the reply to a call as the view gives it; with a body the call is a POST."""
        match = resolve(f"{API}{call.path}")
        view = cast("AnalyticsView", match.func.cls())  # type: ignore[attr-defined]  # REST framework's views name theirs
        inner = HttpRequest()
        inner.method = "GET" if body is None else "POST"
        inner.path = inner.path_info = f"{API}{call.path}"
        inner.META = {name: self.request.META[name] for name in _HANDED_ON if name in self.request.META}
        inner.GET = QueryDict(urlencode(call.query))
        inner.resolver_match = match
        if body is not None:
            inner.META |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
            vars(inner).update(_body=body, _read_started=True)  # as after it was read from a socket
        asked = Request(inner, parsers=view.get_parsers())
        asked.user = cast("Any", self.viewer.principal)
        view.setup(inner, *match.args, **match.kwargs)
        view.request = asked
        if self.charges:
            charge_request(asked, view)
        view.check_permissions(asked)
        return getattr(view, inner.method.lower())(asked, *match.args, **match.kwargs)


def _exact(reply: Any) -> dict[str, Any]:
    told = reply.data
    body: dict[str, Any] = json.loads(told if isinstance(told, bytes) else dumps(told), parse_float=Decimal)
    return body
