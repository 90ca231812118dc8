"""Write the Grafana dashboard, or tell whether it is out of date."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from observatory.env import BASE_DIR
from observatory.grafana import dashboard

DIFFERENT = 4
FILE = BASE_DIR / "deploy" / "grafana" / "dashboards" / "observatory.json"


class Command(BaseCommand):
    help = "Write the Grafana dashboard from the table of series. Example: python manage.py export_grafana --check"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, default=FILE, help="where the dashboard is")
        parser.add_argument("--check", action="store_true", help="change nothing; exit 4 when it is out of date")

    def handle(self, *_args: Any, output: Path, check: bool, **_options: Any) -> None:
        made = dashboard()
        if not check:
            output.write_text(made)
        elif not output.is_file() or output.read_text() != made:
            self.stderr.write(f"{output} is out of date: run `python manage.py export_grafana`.")
            raise SystemExit(DIFFERENT)
