"""Write the OpenAPI document, or compare a file with it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand

from errors.json import dumps
from observatory.docs import document

DIFFERENT = 4


class Command(BaseCommand):
    help = "Write the OpenAPI document. Example: python manage.py export_openapi --output openapi.yaml"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, help="file to write; standard output without it")
        parser.add_argument("--format", choices=["yaml", "json"], default="yaml", help="form of the document")
        parser.add_argument("--check", type=Path, help="compare this file instead; exit 4 when it differs")

    def handle(self, *_args: Any, output: Path | None, check: Path | None, **options: Any) -> None:
        text = yaml.safe_dump(document(), sort_keys=False, width=120, allow_unicode=True)
        if options["format"] == "json":
            text = dumps(document()).decode() + "\n"
        if check is not None:
            if not check.is_file() or check.read_text() != text:
                self.stderr.write(f"{check} is out of date: run `python manage.py export_openapi --output {check}`.")
                raise SystemExit(DIFFERENT)
        elif output is not None:
            output.write_text(text)
        else:
            self.stdout.write(text, ending="")
