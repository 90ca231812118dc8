import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils.functional import lazystr
from hypothesis import given
from hypothesis import strategies as st

from errors.json import dumps


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_comes_back_as_it_was(value):
    assert json.loads(dumps([value]), parse_float=Decimal, parse_int=Decimal) == [value]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_decimal_has_no_exponent_and_no_trailing_zero(value):
    text = dumps(value).decode()

    assert set(text) <= set("-.0123456789")
    assert "." not in text or text[-1] not in ".0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.000000001"), "0.000000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("12.3400"), "12.34"),
        (Decimal(100), "100"),
        (Decimal("0.00"), "0"),
        (Decimal("-0.0"), "0"),
        (Decimal("-1.50"), "-1.5"),
        (datetime(2025, 11, 5, 10, 30, tzinfo=UTC), '"2025-11-05T10:30:00Z"'),
        (datetime(2025, 11, 5, 10, 30, 0, 120000, tzinfo=UTC), '"2025-11-05T10:30:00.120000Z"'),
        (datetime(2025, 11, 5, 12, 30, tzinfo=timezone(timedelta(hours=2))), '"2025-11-05T10:30:00Z"'),
        (date(2025, 11, 5), '"2025-11-05"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (lazystr("later"), '"later"'),
        ("ü", '"ü"'),
        (10**30, "1" + "0" * 30),
        ({"a": [1, (-(10**20), {"b": Decimal("1.0")})]}, '{"a":[1,[-100000000000000000000,{"b":1}]]}'),
    ],
)
def test_values_have_one_form(value, text):
    assert dumps(value).decode() == text


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), datetime(2025, 11, 5), object(), {1: 2}])  # noqa: DTZ001
def test_what_has_no_form_in_json_is_refused(value):
    with pytest.raises(TypeError):
        dumps([value])
