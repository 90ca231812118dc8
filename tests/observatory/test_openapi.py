import json
import subprocess
import sys
from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from observatory.docs import document
from observatory.env import BASE_DIR

CHECKED_IN = BASE_DIR / "openapi.yaml"
NOT_DOCUMENTED = (
    "health", "metrics", "errors", "admin/", "app", "docs", "api/schema", "api/docs", "api/v1/schema", "api/v1/docs",
)  # fmt: skip


def test_the_document_in_the_repository_is_current():
    call_command("export_openapi", check=CHECKED_IN)


def test_it_is_made_without_a_warning():
    made = subprocess.run(
        [sys.executable, "manage.py", "export_openapi"],
        cwd=BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (made.returncode, made.stderr, yaml.safe_load(made.stdout)) == (0, "", document())


@pytest.mark.parametrize("content", [None, "openapi: 3.1.0\n"], ids=["missing", "old"])
def test_a_file_out_of_date_is_named_and_left_alone(tmp_path, content):
    file = tmp_path / "openapi.yaml"
    if content is not None:
        file.write_text(content)

    told = StringIO()  # what this command says, and not what others log meanwhile
    with pytest.raises(SystemExit) as end:
        call_command("export_openapi", check=file, stderr=told)

    assert (end.value.code, told.getvalue()) == (
        4,
        f"{file} is out of date: run `python manage.py export_openapi --output {file}`.\n",
    )
    assert (file.read_text() if file.exists() else None) == content


@pytest.mark.parametrize(("form", "read"), [("yaml", yaml.safe_load), ("json", json.loads)])
def test_it_is_written_in_both_forms(tmp_path, form, read):
    call_command("export_openapi", output=tmp_path / "document", format=form)

    assert read((tmp_path / "document").read_text()) == document()


def test_it_is_checked_in_both_forms(tmp_path):
    call_command("export_openapi", output=tmp_path / "document", format="json")

    call_command("export_openapi", check=tmp_path / "document", format="json")


@pytest.mark.parametrize("path", ["/api/schema", "/api/v1/schema"])
def test_the_service_tells_it(path):
    reply = Client().get(path)

    assert (reply.status_code, reply["Content-Type"], reply.json()) == (200, "application/json", document())


def routes(patterns, prefix=""):
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver) and not route.startswith("admin/"):
            yield from routes(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route


def test_every_route_of_the_api_is_documented():
    served = {
        "/" + route.replace("<str:", "{").replace(">", "}")
        for route in routes(get_resolver().url_patterns)
        if not route.startswith(NOT_DOCUMENTED)
    }

    assert served == document()["paths"].keys()


def test_every_operation_has_a_name_of_its_own():
    names = [one["operationId"] for path in document()["paths"].values() for one in path.values()]

    assert len(set(names)) == len(names)
