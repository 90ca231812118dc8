"""What is wrong with this installation, and how it is cured."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from errors.json import dumps
from observatory.diagnosis import Level, diagnose

WRONG = 1


class Command(BaseCommand):
    help = "Check settings, servers and jobs; exit status 1 when something is wrong. Example: python manage.py doctor"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *_args: Any, json: bool, **_options: Any) -> None:
        findings = []
        for one in diagnose():
            findings.append(one)
            if not json:
                self.stdout.write(f"{one.level:<6}{one.check:<12} {one.text.rstrip('.')}. {one.cure}".rstrip())
        healthy = all(one.level is not Level.WRONG for one in findings)
        if json:
            self.stdout.write(dumps({"healthy": healthy, "findings": [asdict(one) for one in findings]}).decode())
        if not healthy:
            raise SystemExit(WRONG)
