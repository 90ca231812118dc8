"""The demo's spans as the export requests that real programs would have sent, a pure function of its arguments."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from analytics.management.demo.rhythm import SECOND_NS, nanoseconds
from analytics.management.demo.sessions import schedule
from analytics.management.demo.shapes import PROJECTS, Vocabulary
from analytics.management.demo.telling import attribute, tell
from analytics.management.demo.traces import Trace, build_trace
from analytics.management.demo.vendors import INCIDENT

SCOPES = {
    Vocabulary.OTEL: InstrumentationScope(name="opentelemetry.util.genai", version="0.3b0"),
    Vocabulary.OPENINFERENCE: InstrumentationScope(name="openinference.instrumentation.langchain", version="0.1.50"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoBatch:
    """One export request of one project, named by its slug; every trace is whole."""

    project: str
    request: ExportTraceServiceRequest
    span_count: int
    trace_count: int


def demo_requests(
    *, days: int, traces_per_day: int, seed: int, end: datetime, spans_per_request: int = 500
) -> Iterator[DemoBatch]:
    """Yield `days` x `traces_per_day` traces of the days before `end`, oldest first; nothing ends after `end`.

    The same arguments give the same bytes. A request has about `spans_per_request` spans.
    """
    if min(days, traces_per_day, spans_per_request) < 1:
        raise ValueError("days, traces_per_day and spans_per_request are at least 1")
    pending: dict[str, list[Trace]] = {project: [] for project in PROJECTS}
    sizes = dict.fromkeys(PROJECTS, 0)
    for trace in demo_traces(days=days, traces=days * traces_per_day, seed=seed, end=end.astimezone(UTC)):
        project = trace.turn.session.shape.project
        pending[project].append(trace)
        sizes[project] += len(trace.spans)
        if sizes[project] >= spans_per_request:
            yield _batch(project, pending[project])
            pending[project], sizes[project] = [], 0
    yield from (_batch(project, traces) for project, traces in pending.items() if traces)


def demo_traces(*, days: int, traces: int, seed: int, end: datetime) -> Iterator[Trace]:
    """Yield `traces` traces of the days before `end`, not yet told in any vocabulary, oldest first."""
    rng = Random(seed)  # noqa: S311 - demo data must be repeatable, not secret
    first, last = incident_of(end)
    incident_ns = range(nanoseconds(first), nanoseconds(last))
    end_ns = nanoseconds(end)
    for turn in schedule(rng, days=days, turns=traces, end=end):
        trace = build_trace(rng, turn, incident_ns=incident_ns)
        overrun = max(span.end_ns for span in trace.spans) - end_ns
        if overrun > 0:
            trace.shift(-overrun)
        yield trace


def incident_of(end: datetime) -> tuple[datetime, datetime]:
    """Return `[start, end)` of the incident in data that ends at `end`."""
    day = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day -= timedelta(days=INCIDENT.days_before_end)
    first, last = INCIDENT.hours
    return day + timedelta(hours=first), day + timedelta(hours=last)


def spans_by_day(batches: Iterable[DemoBatch]) -> dict[tuple[str, date], int]:
    """Return how many spans there are of each project and UTC day, in that order."""
    counts: Counter[tuple[str, date]] = Counter()
    for batch in batches:
        for of_resource in batch.request.resource_spans:
            for of_scope in of_resource.scope_spans:
                counts.update((batch.project, _day(span.start_time_unix_nano)) for span in of_scope.spans)
    return dict(sorted(counts.items()))


def _batch(project: str, traces: list[Trace]) -> DemoBatch:
    resources: dict[tuple[str, str], ResourceSpans] = {}
    count = 0
    for trace in traces:
        session = trace.turn.session
        key = (session.shape.service, session.environment)
        if key not in resources:
            resources[key] = _resource_spans(*key, session.shape.vocabulary)
        spans = list(tell(trace))
        resources[key].scope_spans[0].spans.extend(spans)
        count += len(spans)
    return DemoBatch(
        project=project,
        request=ExportTraceServiceRequest(resource_spans=resources.values()),
        span_count=count,
        trace_count=len(traces),
    )


def _resource_spans(service: str, environment: str, vocabulary: Vocabulary) -> ResourceSpans:
    attributes = {
        "service.name": service,
        "service.version": "2.7.1",
        "deployment.environment.name": environment,
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.language": "python",
    }
    return ResourceSpans(
        resource=Resource(attributes=[attribute(key, value) for key, value in attributes.items()]),
        scope_spans=[ScopeSpans(scope=SCOPES[vocabulary])],
    )


def _day(nanoseconds_since_1970: int) -> date:
    return datetime.fromtimestamp(nanoseconds_since_1970 // SECOND_NS, tz=UTC).date()
