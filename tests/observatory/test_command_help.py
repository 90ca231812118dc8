"""Every command tells how it is used."""

import argparse

import pytest
from django.core.management import get_commands, load_command_class

OURS = sorted(name for name, app in get_commands().items() if app in {"observatory", "analytics"})


def parsers(name):
    """Return the parser of a command and those of its actions."""
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    chosen = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    return [parser, *(sub for one in chosen for sub in one.choices.values())]


def test_commands_are_found():
    assert {"aggregates", "compression", "doctor", "erase_user", "migrate_engine", "policies", "retention"} <= {*OURS}


@pytest.mark.parametrize("name", OURS)
def test_help_has_an_example_of_every_action(name):
    for parser in parsers(name):
        told = " ".join(parser.format_help().lower().split())
        assert f"example: python manage.py {name}" in told, parser.prog


@pytest.mark.parametrize("name", ["aggregates", "compression", "erase_user", "retention"])
def test_whatever_changes_something_takes_dry_run(name):
    parser, *actions = parsers(name)
    without = {one.prog.split()[-1] for one in actions or [parser] if "--dry-run" not in one.format_help()}
    assert without <= {"list", "show", "verify"}


@pytest.mark.parametrize(
    "name", sorted({*OURS} - {"up", "live", "prepare", "export_openapi", "export_reference", "export_grafana"})
)
def test_every_command_of_operators_can_answer_in_json(name):
    parser, *actions = parsers(name)
    assert all("--json" in one.format_help() for one in actions or [parser])
