"""Starts everything on one machine: database, cache, web, live and worker."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from observatory.supervisor.failure import CannotStart, ToldAlready
from observatory.supervisor.greeting import greeting
from observatory.supervisor.launch import Launch
from observatory.supervisor.network import ANOTHER_LIVE_PORT, claim_address
from observatory.supervisor.options import Arguments, Options, read_options

EXAMPLE = """example:
  python manage.py up --demo --port 9000 --data-dir /srv/observatory
"""


class Command(BaseCommand):
    help = (
        "Starts the service: PostgreSQL and Valkey (or the servers of DATABASE_URL and REDIS_URL), web, live process"
        " and worker; makes or upgrades the database before; runs until Ctrl-C or SIGTERM."
    )
    requires_system_checks = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", help="address to listen on (APP_HOST, else 0.0.0.0)")
        parser.add_argument("--port", type=_between(1, 65535), help="port to listen on (API_PORT, else 8080)")
        parser.add_argument("--data-dir", help="data folder (OBSERVATORY_HOME, else ./.observatory)")
        parser.add_argument(
            "--workers", type=_between(1, 256), help="web processes (WEB_CONCURRENCY, else one a core, at most 4)"
        )
        parser.add_argument("--demo", action="store_true", help="make a demo organisation, users, a key and spans once")
        parser.add_argument("--dry-run", action="store_true", help="print what would be started and change nothing")
        parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")

    def handle(self, *_: Any, dry_run: bool, **given: Any) -> None:
        as_json = given["json"]
        names = ("host", "port", "data_dir", "workers", "demo")
        try:
            options = read_options(Arguments(**{name: given[name] for name in names}), os.environ)
            if dry_run:
                self._show_plan(options, as_json=as_json)
                return
            Launch(options=options, say=self._say, greet=lambda: self._greet(options, as_json=as_json)).run()
        except CannotStart as problem:
            raise CommandError(str(problem)) from None
        except ToldAlready:
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stderr.write(line, str)  # plain: most lines are no errors
        self.stderr.flush()

    def _greet(self, options: Options, *, as_json: bool) -> None:
        facts = _facts(options)
        told = greeting(options.local_url, options.home.credentials, live_url=facts["live_url"])
        self.stdout.write(json.dumps(facts) if as_json else told)
        self.stdout.flush()

    def _show_plan(self, options: Options, *, as_json: bool) -> None:
        options.home.check_creatable()
        claim_address(options.host, options.port)
        claim_address(options.host, options.live_port, cure=ANOTHER_LIVE_PORT)
        facts = _facts(options)
        if as_json:
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write("Would start:")
        for name, value in facts.items():
            self.stdout.write(f"  {name:<14} {value}")


def _facts(options: Options) -> dict[str, Any]:
    home = options.home
    return {
        "url": options.local_url,
        "live_url": options.live_base_url or options.live_url,
        "listens_on": f"{options.host}:{options.port}, {options.live_port}",
        "data_dir": str(home.path),
        "credentials": str(home.credentials),
        "postgres": "the server of DATABASE_URL" if options.database_url else f"embedded, {home.postgres}",
        "valkey": "the server of REDIS_URL" if options.redis_url else f"embedded, {home.valkey}",
        "web_processes": options.workers,
        "web_threads": options.threads,
        "demo": options.demo,
    }


def _between(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise argparse.ArgumentTypeError(f"write a whole number from {low} to {high}, not {value!r}")
        return int(value)

    return read
