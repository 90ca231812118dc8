from decimal import Decimal

import pytest
from django.test import RequestFactory
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from errors.exceptions import ApiError
from errors.rendering import JSONNegotiation, JSONRenderer


class Yaml(BaseRenderer):
    media_type = "application/yaml"


def negotiated(accept, *renderers, path="/"):
    request = Request(RequestFactory().get(path, headers={"Accept": accept}))
    return JSONNegotiation().select_renderer(request, renderers or (JSONRenderer(),))[1]


@pytest.mark.parametrize(
    ("data", "body"), [({"a": Decimal("1.50")}, b'{"a":1.5}'), (b'{"a":1}', b'{"a":1}'), (None, b"")]
)
def test_data_is_rendered_and_bytes_pass_through(data, body):
    assert JSONRenderer().render(data) == body


@pytest.mark.parametrize("accept", ["", "*/*", "application/*", "application/json", "text/html, */*;q=0.1"])
def test_json_goes_to_who_admits_it(accept):
    assert negotiated(accept) == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "text/*", "application/problem+json", "*/*, application/json;q=0"])
def test_who_excludes_json_is_refused(accept):
    with pytest.raises(ApiError) as refused:
        negotiated(accept)

    assert (refused.value.spec.status, refused.value.message) == (
        406,
        "The Accept header excludes every form on offer: accept application/json",
    )


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [("*/*", "application/json"), ("application/json;q=0.5, application/yaml", "application/yaml")],
)
def test_of_several_forms_the_weightiest_is_chosen(accept, chosen):
    assert negotiated(accept, JSONRenderer(), Yaml()) == chosen


def test_no_parameter_chooses_the_form():
    assert negotiated("*/*", JSONRenderer(), Yaml(), path="/?format=yaml") == "application/json"
