"""The same call told by many emitters is one row: all of it is compared, but where each fact was read from."""

from dataclasses import replace

import pytest

from analytics.ingest.span import NormalSpan
from analytics.ingest.wire import RawScope
from tests.analytics.ingest.emitted import agents, anthropic, chat, embeddings, gemini, retrievals, tools, workflows
from tests.analytics.ingest.spans import SECOND, SPAN_ID, START_NS, TRACE_ID, normal

GROUPS = (chat, gemini, anthropic, tools, embeddings, retrievals, agents, workflows)
CASES = [(group.ROW, payload) for group in GROUPS for payload in group.PAYLOADS]


@pytest.mark.parametrize(("row", "payload"), CASES, ids=[payload.emitter for _, payload in CASES])
def test_every_emitter_tells_the_same_row(row, payload):
    span = normal(payload.attributes, scope=RawScope(name=payload.scope), events=payload.events)

    stays = {name: payload.attributes[name] for name in payload.stays}
    told = {member: value for member, value in row.items() if member not in payload.silent} | payload.instead
    assert replace(span, mapping_sources={}) == NormalSpan(
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        parent_span_id=None,
        start_ns=START_NS,
        end_ns=START_NS + SECOND,
        span_name="chat gpt-4o",
        span_kind="internal",
        status_code="UNSET",
        instrumentation_scope={"name": payload.scope},
        attributes=payload.instead.get("attributes", stays) | payload.left,
        **{member: value for member, value in told.items() if member != "attributes"},
    )


def test_every_emitter_is_named_once_with_its_version():
    named = [payload.emitter for _, payload in CASES]

    assert len(set(named)) == len(named)
    assert [name for name in named if not any(character.isdigit() for character in name)] == []
