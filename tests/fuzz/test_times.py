"""Expressions of times: an instant that can be stored, or a refusal that names the field."""

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from analytics.queries.timerange import parse_time
from errors.exceptions import ApiError
from tests.fuzz.conftest import MANY

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
DIGITS = st.integers(-5, 10**12).map(str) | st.sampled_from(["00", "99", "٣", "1e5"])
RELATIVE = st.lists(
    st.builds("{}{}{}".format, st.sampled_from("+-"), DIGITS, st.sampled_from(["m", "h", "d", "w", "M", "y", "s", ""])),
    max_size=4,
).map(lambda terms: "now" + "".join(terms))
TRUNCATED = st.builds("{}{}".format, RELATIVE, st.sampled_from(["", "/d", "/w", "/M", "/", "/y", "/dd"]))
ABSOLUTE = st.builds(
    "{}-{}-{}{}{}".format,
    st.integers(0, 99_999).map("{:04d}".format),
    st.integers(0, 14).map("{:02d}".format),
    st.integers(0, 33).map("{:02d}".format),
    st.sampled_from(["", "T00:00:00", "t23:59:60", " 10:00", "T24:00:00", "T10:00:00.123456789", "T10:00:00,5"]),
    st.sampled_from(["", "Z", "z", "+00:00", "-23:59", "+24:00", "+14:00", " Z", "+0000"]),
)


@MANY
@given(TRUNCATED | ABSOLUTE | st.text(max_size=40))
@example("0001-01-01T00:00:00+14:00")
@example("9999-12-31T23:59:59-14:00")
@example("now-999999999999999999999d")
def test_any_text_is_an_instant_or_refused(text):
    try:
        instant = parse_time(text, field="from", now=NOW)
    except ApiError as refused:
        told = (refused.spec.code, refused.field)
    else:
        told = instant.utcoffset().total_seconds()

    assert told in {0.0, (1203, "from")}
