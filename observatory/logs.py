"""Log lines: JSON with time, level and the request they belong to, or readable ones for a terminal."""

import logging
import sys
from contextlib import suppress
from threading import Lock
from typing import Any

import structlog

_lock = Lock()


class Lines:
    """Writes the finished lines of one logger to standard error, each in one piece.

    By way of the standard library's loggers a line would cost twice as much, a tenth of a request that is answered from
    the cache. Where nobody reads the lines any more the service goes on.
    """

    def __init__(self, name: str = "observatory") -> None:
        self.name = name

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError), _lock:
            sys.stderr.write(f"{line}\n")

    debug = info = warning = warn = error = exception = critical = fatal = write


def configure(config: dict[str, Any]) -> None:
    """Set up structlog and the standard library's loggers with one `format` (json, console) from one `level` up."""
    level: str = config["level"].upper()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    final: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if config["format"] == "json"
        else [structlog.dev.ConsoleRenderer()]
    )
    structlog.configure(
        # What is below the level costs nothing.
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[*shared, *final],
        logger_factory=Lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Django repeats on its own loggers what the request line already says.
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    logging.getLogger("django.security").setLevel(logging.CRITICAL)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
