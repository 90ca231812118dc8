import pytest

from errors.catalog import DATABASE_ERROR, INVALID_REQUEST, MISSING_REQUIRED_FIELD, NUMBER_OUT_OF_RANGE
from errors.exceptions import ApiError


def test_raising_fills_the_sentence():
    error = ApiError(NUMBER_OUT_OF_RANGE, field="limit", low=1, high=1000, details="Received value: 5000")

    assert (error.message, error.details, error.field, str(error)) == (
        "Invalid value for field 'limit': must be between 1 and 1000",
        "Received value: 5000",
        "limit",
        "1200 INVALID_REQUEST: Invalid value for field 'limit': must be between 1 and 1000",
    )


def test_a_field_may_be_named_beside_a_sentence_that_does_not_mention_it():
    error = ApiError(INVALID_REQUEST, field="limit")

    assert (error.field, error.message) == ("limit", INVALID_REQUEST.message)


def test_braces_in_a_value_are_text():
    assert (
        ApiError(MISSING_REQUIRED_FIELD, field="{low}{0.__class__}").message == "Field '{low}{0.__class__}' is required"
    )


@pytest.mark.parametrize(
    "params",
    [{}, {"low": 1, "high": 2}, {"field": "limit", "low": 1}, {"field": "limit", "low": 1, "high": 2, "more": 3}],
)
def test_a_sentence_that_does_not_get_exactly_what_it_needs_is_refused(params):
    with pytest.raises(TypeError, match="INVALID_REQUEST: the sentence needs"):
        ApiError(NUMBER_OUT_OF_RANGE, **params)


def test_headers_of_the_raise_go_over_those_of_the_row():
    assert ApiError(DATABASE_ERROR, headers={"Retry-After": "9", "X-More": "1"}).headers == {
        "Retry-After": "9",
        "X-More": "1",
    }
