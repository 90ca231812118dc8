"""A store with spans of two projects: several days, users, models, tags, late and refreshed ones, some unpriced."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.scope import Scope, ScopedProject
from analytics.storage.rollups import refresh
from tests.analytics.storage.test_rollups import empty_the_store

DAY = (datetime.now(UTC) - timedelta(days=4)).replace(hour=0, minute=0, second=0, microsecond=0)
NS = 1_000_000_000
MODELS = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-3-5-sonnet-20241022"),
    ("x", "unknown"),
)


def scope_of(*projects) -> Scope:
    return Scope(
        projects={
            one.id: ScopedProject(organisation_id=one.organisation_id, public_id=one.public_id) for one in projects
        },
        permissions=frozenset(),
    )


def made(number: int, chance: random.Random) -> RawSpan:
    """A span of some kind, somewhere in three days."""
    provider, model = chance.choice(MODELS)
    start = int(DAY.timestamp()) * NS + chance.choice((0, 1, 2)) * 86_400 * NS + chance.randrange(86_400) * NS
    attributes = {
        "gen_ai.operation.name": chance.choice(("chat", "chat", "embeddings", "execute_tool")),
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": chance.randrange(2000),
        "gen_ai.usage.output_tokens": chance.randrange(500),
        "gen_ai.usage.cache_read.input_tokens": chance.choice((0, 0, 100)),
        "deployment.environment.name": chance.choice(("prod", "staging")),
    }
    if chance.random() < 0.7:
        attributes["user.id"] = f"user-{chance.randrange(6)}"
        attributes["team.id"] = f"team-{chance.randrange(2)}"
    if chance.random() < 0.5:
        attributes["session.id"] = f"session-{chance.randrange(5)}"
    if chance.random() < 0.5:
        attributes["tag.tags"] = chance.sample(["a", "b", "ab"], chance.randrange(1, 3))
    if chance.random() < 0.5:
        attributes["color"] = chance.choice(("red", "green"))
    if chance.random() < 0.3:
        attributes["gen_ai.response.time_to_first_chunk"] = chance.randrange(1, 2000) / 1000
    failed = chance.random() < 0.2
    if failed and chance.random() < 0.8:
        attributes["error.type"] = chance.choice(("Timeout", "RateLimit"))
    return RawSpan(
        trace_id=(number // 3 + 1).to_bytes(16),
        span_id=(number + 1).to_bytes(8),
        parent_span_id=number.to_bytes(8) if number % 3 == 2 else b"",
        name="call",
        start_ns=start,
        end_ns=start + chance.randrange(1, 60_000) * 1_000_000,
        status_code=2 if failed else chance.choice((0, 1)),
        attributes=attributes,
    )


@pytest.fixture
def filled(db, make_tenant) -> Scope:
    """The scope of two projects with 260 spans each, most of them rolled up, some marked, some later."""
    empty_the_store()
    tenant = make_tenant("acme", projects=("main", "other"))
    chance = random.Random(7)
    for project in tenant.projects:
        spans = [made(number, chance) for number in range(260)]
        receive(scope=scope_of(project), spans=spans[:200], received_at=datetime.now(UTC))
    for grain in GRAIN_WIDTHS:
        refresh(grain, before=DAY + timedelta(days=2, hours=12))
    for project in tenant.projects:
        receive(
            scope=scope_of(project), spans=[made(n + 300, chance) for n in range(40)], received_at=datetime.now(UTC)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE llm_traces")
    return scope_of(*tenant.projects)
