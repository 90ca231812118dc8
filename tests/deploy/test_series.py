import json
import re

import pytest
from django.core.management import call_command
from prometheus_client import REGISTRY

from observatory.grafana import dashboard
from observatory.prometheus import STATE, meanings
from observatory.series import SERIES

OTHERS = ("python_", "process_", "django_")  # what the libraries add
SUFFIX = {"counter": "_total"}


def recorded():
    """Return name -> kind of the series that the service records."""
    meanings()  # loads what records
    families = [*REGISTRY.collect(), *STATE.describe()]
    return {one.name + SUFFIX.get(one.type, ""): one.type for one in families if not one.name.startswith(OTHERS)}


def test_the_table_names_what_is_recorded_and_nothing_else():
    assert {one.name: one.kind for one in SERIES} == recorded()


@pytest.mark.parametrize("one", SERIES, ids=lambda one: one.name)
def test_the_labels_of_the_table_are_those_that_are_recorded(one):
    families = {family.name: family for family in STATE.describe()}
    if one.name in families:
        assert families[one.name]._labelnames == one.labels
    else:
        collectors = REGISTRY._names_to_collectors
        assert collectors[one.name]._labelnames == one.labels


def test_the_dashboard_in_the_repository_is_current():
    call_command("export_grafana", check=True)


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_dashboard_out_of_date_is_named_and_left_alone(tmp_path, capsys, content):
    file = tmp_path / "dashboard.json"
    if content:
        file.write_text(content)

    with pytest.raises(SystemExit) as end:
        call_command("export_grafana", output=file, check=True)

    assert (end.value.code, capsys.readouterr().err) == (
        4,
        f"{file} is out of date: run `python manage.py export_grafana`.\n",
    )
    assert (file.read_text() if file.exists() else None) == content


def test_every_series_has_a_panel_of_its_own_and_no_panel_covers_another():
    panels = json.loads(dashboard())["panels"]
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    titles = [panel["title"] for panel in panels]
    assert (len(places), [one.name for one in SERIES if titles.count(one.name) != 1]) == (len(set(places)), [])


def test_every_panel_asks_for_series_that_there_are():
    known = {one.name for one in SERIES} | {f"{one.name}_bucket" for one in SERIES if one.kind == "histogram"}
    asked = {
        name
        for panel in json.loads(dashboard())["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"[a-z]+(?:_[a-z]+)+", re.sub(r"by \([^)]*\)|histogram_quantile", "", target["expr"]))
    }

    assert asked - known - {"__rate_interval", "rate_interval"} == set()
