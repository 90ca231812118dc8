"""Everything that is derived from the registry is complete."""

import pytest

from analytics.api.cost_figures import VIEWS as COST_VIEWS
from analytics.api.figures import ReportView
from analytics.registry.dimensions import ATTRIBUTE, DIMENSIONS, EQUALITIES
from analytics.registry.facts import FACTS_BY_KEY
from analytics.registry.grains import INTERVALS
from analytics.registry.measures import AGGREGATIONS, FIGURES, MEASURES
from analytics.registry.rollups import ROLLUPS
from observatory.env import BASE_DIR
from tests.documented import DOCUMENT

PATHS = DOCUMENT["paths"]


def parameters(path):
    return {one["name"]: one for one in PATHS[f"/api/v1{path}"]["get"]["parameters"]}


def query_body():
    return PATHS["/api/v1/metrics/query"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]


def test_every_measure_can_be_asked_for():
    names = [one.key for one in MEASURES]
    assert query_body()["metrics"]["items"]["properties"]["metric"]["enum"] == names
    assert all(name in parameters("/metrics")["metrics"]["description"] for name in names)


def test_every_aggregation_is_a_name_of_the_parameter():
    named = {one for measure in MEASURES for one in measure.of} - {"ratio", "distinct"}
    assert named == set(AGGREGATIONS)
    assert set(AGGREGATIONS) <= set(parameters("/metrics")["aggregation"]["schema"]["enum"])


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.key)
def test_every_aggregation_is_known_to_the_server_or_made_of_sketches(measure):
    for made in measure.of.values():
        assert (made.sql is None) == bool(made.quantiles or made.distinct)
        assert all(key in FACTS_BY_KEY for key in made.facts)


def test_every_dimension_groups_narrows_and_is_described():
    page = (BASE_DIR / "docs" / "reference" / "dimensions.md").read_text()
    for one in (*DIMENSIONS, ATTRIBUTE):
        assert one.key in parameters("/metrics")["group_by"]["description"]
        assert f"`{one.key}`" in page
    assert [one.key for one in EQUALITIES if one.key not in parameters("/metrics")] == []


def test_every_label_of_a_rollup_is_a_dimension():
    known = {one.label for one in DIMENSIONS}
    assert {label for rollup in ROLLUPS for label in rollup.labels} <= known


def test_every_interval_is_a_name_of_the_parameter():
    assert parameters("/metrics")["interval"]["schema"]["enum"] == list(INTERVALS)
    assert query_body()["interval"]["enum"] == list(INTERVALS)


def test_every_measure_and_figure_is_on_its_page():
    page = (BASE_DIR / "docs" / "reference" / "measures.md").read_text()
    assert [key for key in (*(one.key for one in MEASURES), *FIGURES) if f"`{key}`" not in page] == []


@pytest.mark.parametrize("view", COST_VIEWS, ids=lambda view: view.route)
def test_every_member_of_a_shape_is_in_the_document(view: type[ReportView]):
    reply = PATHS[f"/api/v1{view.route}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(reply["properties"]) == {*view.shape.members, "metadata", "plan"}
