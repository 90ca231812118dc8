"""GET /metrics of a worker or live process that runs on a machine of its own, where no web process tells its series."""

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, make_wsgi_app

from observatory.prometheus import may_read

Start = Callable[..., Any]
METRICS_HELP = "also tell the series of this process at /metrics of this port; needed where no web process runs beside"


class _Quiet(WSGIRequestHandler):
    timeout = 10  # seconds; a reader that says nothing ends

    def log_message(self, *_arguments: Any) -> None:
        """Leave a scrape out of the log."""


def expose(host: str, port: int) -> WSGIServer:
    """Serve the series of this process at `/metrics`, in a thread, to whom the web process would; port 0: any free one.

    Raises `OSError` when the port is taken.
    """
    server = make_server(host, port, _answer, handler_class=_Quiet)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


_series = make_wsgi_app(REGISTRY)


def _answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/metrics":
        return _refuse(start, "404 Not Found", b"The series are at /metrics.\n")
    if not may_read(environ["REMOTE_ADDR"], environ.get("HTTP_AUTHORIZATION", "")):
        cure = b"Read from a network of METRICS_ALLOWED_NETWORKS, or send METRICS_TOKEN as bearer.\n"
        return _refuse(start, "403 Forbidden", cure)
    answered: Iterable[bytes] = _series(environ, start)
    return answered


def _refuse(start: Start, status: str, text: bytes) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))])
    return [text]
