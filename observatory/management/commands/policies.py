"""Background jobs with last run, result and next run."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from errors.json import dumps
from observatory.policies import policies


class Command(BaseCommand):
    help = "Show the background jobs with last run, result and next run. Example: python manage.py policies"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, json: bool, **_options: Any) -> None:
        try:
            found = policies(now=timezone.now())
        except DatabaseError as problem:
            raise CommandError(f"The database refused: {problem}".strip()) from problem
        if json:
            self.stdout.write(dumps({"policies": [asdict(one) for one in found]}).decode())
            return
        self.stdout.write(f"{'job':<12}{'schedule':<18}{'last run':<22}{'result':<17}next run")
        for one in found:
            last = f"{one.last_run:%Y-%m-%d %H:%M:%SZ}" if one.last_run else "-"
            result = one.last_result + (", late" if one.late else "")
            self.stdout.write(f"{one.name:<12}{one.cron:<18}{last:<22}{result:<17}{one.next_run:%Y-%m-%d %H:%M:%SZ}")
