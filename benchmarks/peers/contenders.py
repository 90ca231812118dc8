"""What is compared: how each is started as its documentation recommends, where spans go and how questions are put."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.service import command
from benchmarks.stores import Store, variables

RARE, COMMON = "zyzzyva", b"whether"  # as long as each other: a message of protobuf keeps its lengths
OWN, PHOENIX, MLFLOW = "own", "phoenix", "mlflow"
SETTINGS = {
    OWN: "two web processes, the worker and the live process, as `up` starts them; answers are computed, not kept",
    PHOENIX: "`phoenix serve` with `PHOENIX_SQL_DATABASE_URL`, all else as it comes; asked by GraphQL",
    MLFLOW: "`mlflow server` with `--backend-store-uri` and the four workers that it starts; asked by REST",
}
_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request to the programming interface, and what a right answer says somewhere."""

    path: str
    has: bytes
    body: Mapping[str, object] | None = None

    @property
    def sent(self) -> tuple[str, str, bytes | None]:
        """Method, path and body."""
        told = None if self.body is None else json.dumps(self.body).encode()
        return "GET" if told is None else "POST", self.path, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A program that takes OTLP over HTTP and keeps spans in PostgreSQL."""

    name: str
    start: Callable[[Path, int], tuple[Sequence[str], Mapping[str, str]]]  # command and variables, of its home and port
    ready: str
    database: str
    spans: str  # SQL: how many are committed
    headers: Mapping[str, str] = field(default_factory=dict)
    otlp_headers: Mapping[str, str] = field(default_factory=dict)
    questions: Callable[[datetime], Mapping[str, Question]]


def own(store: Store, key: str) -> Contender:
    """Return this checkout on a database of the same server."""

    def questions(_now: datetime) -> Mapping[str, Question]:
        return {
            "cost_by_model": Question(
                path=f"/api/v1/costs/breakdown?start_time=now-{_DAYS}d&fields=by_model", has=b"gpt-4o-mini"
            ),
            "p95_by_hour": Question(
                path=f"/api/v1/metrics/performance?start_time=now-{_DAYS}d&granularity=1hour&fields=p95_latency_ms",
                has=b"p95_latency_ms",
            ),
            "text": Question(
                path=f"/api/v1/traces?start_time=now-{_DAYS}d&q={RARE}&fields=trace_id", has=b'"trace_id"'
            ),
        }

    def started(home: Path, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
        return command(home, port), os.environ | variables(store.addresses) | {"OBSERVATORY_HOME": str(home)}

    return Contender(
        name=OWN,
        start=started,
        ready="/health/ready",
        database=store.name,
        spans="SELECT count(*) FROM llm_traces",
        headers={"X-API-Key": key, "Cache-Control": "no-cache"},
        questions=questions,
    )


def phoenix(programs: Path, database: str, url: str) -> Contender:
    """Return Phoenix on PostgreSQL, started by its own command."""

    def questions(now: datetime) -> Mapping[str, Question]:
        whole = {"timeRange": {"start": (now - timedelta(days=_DAYS)).isoformat(), "end": now.isoformat()}}
        condition = f"'{RARE}' in attributes['gen_ai']['input']['messages']"
        latencies = "traceLatencyMsPercentileTimeSeries(timeRange: $timeRange, timeBinConfig: {scale: HOUR})"
        found = f'spans(first: 50, timeRange: $timeRange, filterCondition: "{condition}")'
        costs = "topModelsByCost(timeRange: $timeRange) { name costSummary { total { cost } } }"
        asked = {
            "cost_by_model": (costs, b"gpt-4o-mini"),
            "p95_by_hour": (latencies + " { data { timestamp p95 } }", b'"p95":'),
            "text": (found + " { edges { node { trace { traceId } } } }", b'"traceId"'),
        }
        begin, end = "query ($timeRange: TimeRange!) { projects(first: 1) { edges { node { ", " } } } }"
        return {
            name: Question(path="/graphql", body={"query": f"{begin}{query}{end}", "variables": whole}, has=has)
            for name, (query, has) in asked.items()
        }

    def started(home: Path, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
        return [str(programs / "phoenix"), "serve"], {
            "PHOENIX_SQL_DATABASE_URL": url,
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(port + 1),
            "PHOENIX_WORKING_DIR": str(home),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }

    return Contender(
        name=PHOENIX,
        start=started,
        ready="/healthz",
        database=database,
        spans="SELECT count(*) FROM spans",
        questions=questions,
    )


def mlflow(programs: Path, database: str, url: str) -> Contender:
    """Return MLflow's tracking server on PostgreSQL, with the workers it starts by itself."""

    def questions(now: datetime) -> Mapping[str, Question]:
        whole = {
            "experiment_ids": ["0"],
            "start_time_ms": int((now - timedelta(days=_DAYS)).timestamp() * 1000),
            "end_time_ms": int(now.timestamp() * 1000),
        }
        metrics, latency = "/api/3.0/mlflow/traces/metrics", {"aggregation_type": "PERCENTILE", "percentile_value": 95}
        return {
            "cost_by_model": Question(
                path=metrics,
                body=whole
                | {
                    "view_type": "SPANS",
                    "metric_name": "total_cost",
                    "aggregations": [{"aggregation_type": "SUM"}],
                    "dimensions": ["span_model_name"],
                },
                has=b"gpt-4o-mini",
            ),
            "p95_by_hour": Question(
                path=metrics,
                body=whole
                | {
                    "view_type": "SPANS",
                    "metric_name": "latency",
                    "aggregations": [latency],
                    "time_interval_seconds": 3600,
                    "max_results": 1000,
                },
                has=b"P95",
            ),
            "text": Question(
                path="/api/3.0/mlflow/traces/search",
                body={
                    "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}],
                    "filter": f"trace.text ILIKE '%{RARE}%'",
                    "max_results": 50,
                },
                has=b'"trace_id"',
            ),
        }

    def started(home: Path, port: int) -> tuple[Sequence[str], Mapping[str, str]]:
        return [
            *(str(programs / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)),
            *("--backend-store-uri", url, "--artifacts-destination", str(home / "artifacts")),
        ], {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}

    return Contender(
        name=MLFLOW,
        start=started,
        ready="/health",
        database=database,
        spans="SELECT count(*) FROM spans",
        otlp_headers={"x-mlflow-experiment-id": "0"},
        questions=questions,
    )


PACKAGES = {PHOENIX: ("arize-phoenix[pg]",), MLFLOW: ("mlflow", "psycopg[binary]")}
PEERS: Mapping[str, Callable[[Path, str, str], Contender]] = {PHOENIX: phoenix, MLFLOW: mlflow}


def version(environments: Path, name: str) -> str:
    """Return the package of a peer with the version that is installed."""
    package = PACKAGES[name][0].partition("[")[0]
    found = next(
        (environments / name).glob(f"lib/python3*/site-packages/{package.replace('-', '_')}-*.dist-info"), None
    )
    return f"{package} {found.name.removesuffix('.dist-info').rpartition('-')[2]}" if found else package
