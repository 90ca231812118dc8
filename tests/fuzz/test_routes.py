"""Every reading route of the document with any values of its own parameters: an answer or a refusal, never a fault."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from observatory.env import BASE_DIR
from tests.fuzz.conftest import MANY

OF_LIVE = {"/api/v1/events", "/api/v1/ws", "/ws"}
DOCUMENT = yaml.load((BASE_DIR / "openapi.yaml").read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
ROUTES = {
    path: [one["name"] for one in known["get"].get("parameters", []) if one.get("in") == "query"]
    for path, known in DOCUMENT["paths"].items()
    if "get" in known and path not in OF_LIVE
}
VALUES = st.sampled_from([
    "", "0", "1", "-1", "1e999", "9" * 30, "true", "now", "now-1d", "now-30d/d", "2026-03-01", "1day", "1hour",
    "model", "cost", "-cost", "started_at", "cursor", "data", "data.x", "a,b,c", ",", "[]", "%00", "\x00", "\ud7ff", "null",
    "tag", "NaN", "attributes.x", "../..", "00000000-0000-0000-0000-000000000000", "ab" * 16, "A" * 3000,
]) | st.text(max_size=12)  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(["If-None-Match", "If-Modified-Since", "X-Read-After", "Range", "Accept", "X-Project-ID", "Cache-Control", "traceparent"]),
    st.sampled_from(["*", 'W/"x"', '"', "bytes=0-", "bytes=9-1", "Thu, 99 Foo", "AAAA", "no-cache", "text/html;q=x"])
    | st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
    max_size=2,
)  # fmt: skip
REFUSALS = (400, 401, 403, 404, 405, 406, 409, 412, 416, 429)


@st.composite
def questions(draw):
    path = draw(st.sampled_from(sorted(ROUTES)))
    names = st.sampled_from(ROUTES[path]) if ROUTES[path] else st.just("colour")
    place = draw(st.sampled_from(["ab" * 16, "00000000-0000-0000-0000-000000000000", "x", "%00", "main", "é"]))
    asked = draw(st.dictionaries(names | st.just("colour"), VALUES | st.lists(VALUES, max_size=3), max_size=4))
    return "/".join(place if part.startswith("{") else part for part in path.split("/")), asked


@pytest.mark.django_db
@MANY
@given(question=questions(), headers=HEADERS)
@example(question=("/api/v1/export/jobs/%00/download", {}), headers={})
def test_any_question_is_answered_or_refused(api, judge, question, headers):
    path, asked = question
    reply = api.get(path, asked, headers=headers)

    assert judge(reply, *REFUSALS), (reply.status_code, path, asked, headers)
