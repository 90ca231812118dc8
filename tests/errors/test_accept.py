import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors.accept import Accept


@pytest.mark.parametrize(
    ("header", "weight"),
    [
        (None, 1),
        ("", 1),
        (" , ", 1),
        ("*/*", 1),
        ("application/*;q=0.3", 0.3),
        ("application/json;charset=utf-8;q=0.7", 0.7),
        ("APPLICATION/JSON ; Q=0.7", 0.7),
        ("*/*;q=0.9, application/*;q=0.5, application/json;q=0.1", 0.1),
        ("*/*, application/json;q=0", 0),
        ("text/html", 0),
        ("application", 0),
        ("application/json;q=heavy", 0),
        ("application/json;q=2", 0),
        ("application/json;q=nan", 0),
    ],
)
def test_the_range_that_names_json_most_closely_weighs_it(header, weight):
    assert Accept(header).weight("application/json") == weight


@given(st.text())
def test_no_header_is_an_error(header):
    assert 0 <= Accept(header).weight("application/json") <= 1
