"""Reading one's own writes: a request that names an ingest position waits until reads have reached it."""

from contextlib import ExitStack
from typing import Any, ClassVar

from django.conf import settings
from django.http.response import HttpResponseBase
from prometheus_client import Counter, Histogram
from rest_framework.request import Request
from rest_framework.views import APIView

from analytics.queries import positions
from analytics.storage.positions import Wait, wait_for
from analytics.storage.reading import reading
from errors.catalog import INVALID_READ_POSITION, READ_POSITION_NOT_REACHED
from errors.exceptions import ApiError

HEADER = "X-Read-After"
WAITS = Histogram("read_after_wait_seconds", "How long reads waited for the position they named.")
TIMEOUTS = Counter("read_after_timeouts_total", "Reads whose position was not reached in time.")


class ReadsAfter(APIView):
    """A reading view that honours `X-Read-After`: 400/1214 for no position of this store, 503/1604 if not reached.

    The wait comes after limits and permission and before anything is read. One that `only_reads` does that on the read
    connection, from then on.
    """

    only_reads: ClassVar[bool] = False

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with ExitStack() as self._until_answered:
            return super().dispatch(*args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        given = request.headers.get(HEADER)
        if given is not None and request.method != "OPTIONS":
            _wait(positions.decode(given, key=settings.SECRET_KEY, field=HEADER))
        if self.only_reads:
            self._until_answered.enter_context(reading())


@WAITS.time()
def _wait(position: int) -> None:
    match wait_for(position, seconds=settings.READ_AFTER_MAX_WAIT_MS / 1000):
        case Wait.AHEAD:
            raise ApiError(INVALID_READ_POSITION, field=HEADER)
        case Wait.TOO_LONG:
            TIMEOUTS.inc()
            raise ApiError(READ_POSITION_NOT_REACHED)
