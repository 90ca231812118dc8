"""The live process: streams of events over WebSocket and Server-Sent Events."""

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from observatory.env import read
from observatory.exposition import METRICS_HELP, expose


class Command(BaseCommand):
    help = "Serve streams of events until it is told to stop. Example: python manage.py live --port 8081"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=read("APP_HOST"), help="address to listen on; default APP_HOST")
        parser.add_argument("--port", type=int, default=settings.LIVE_PORT, help="default LIVE_PORT")
        parser.add_argument("--metrics-port", type=int, help=METRICS_HELP)

    def handle(self, *_args: Any, host: str, port: int, metrics_port: int | None, **_options: Any) -> None:
        os.environ["PGAPPNAME"] = "llm-observatory live"
        statement_ms = max(1, read("REQUEST_TIMEOUT_SECONDS") - 2) * 1000
        os.environ["PGOPTIONS"] = f"-c statement_timeout={statement_ms} {os.environ.get('PGOPTIONS', '')}".strip()
        from observatory.live.server import serve  # noqa: PLC0415  other commands need no server

        if metrics_port is not None:
            expose(host, metrics_port)
        if not serve(host, port, grace_seconds=read("SHUTDOWN_GRACE_SECONDS")):
            raise SystemExit(1)
