"""People who look at their spans, as locust runs them. Runs in an environment of its own.

`python users.py WANTED` takes one JSON object (host, keys, seed, phases) and prints one a phase: what was met in it.
"""

import json
import random
import sys
from collections import Counter
from typing import Any

import gevent
from locust import FastHttpUser, task
from locust.env import Environment

MODELS = ("", "&model=gpt-4o", "&model=gpt-4o-mini", "&model=claude-sonnet-4-5")
RANGES = ("now-24h", "now-1h", "now-7d", "now-30d")
MOST_TAKE_THE_FIRST = (7, 1, 1, 1)
LISTS = (
    "/api/v1/traces?limit=20&start_time={since}{model}",
    "/api/v1/traces?limit=50&start_time={since}&provider=openai",
    "/api/v1/traces?limit=20&start_time={since}&q=zyzzyva",
    "/api/v1/traces?limit=20&start_time={since}&min_tokens=2000{model}",
)
FIGURES = (
    "/api/v1/metrics/performance?start_time={since}{model}",
    "/api/v1/metrics/summary?start_time={since}{model}",
    "/api/v1/costs/summary?start_time={since}{model}",
    "/api/v1/costs/breakdown?start_time={since}{model}",
)
OTHERS = ("/health", "/api/v1/metrics/labels")
UNCACHED = ("/health",)
NOT_MODIFIED = 304
STEP_SECONDS, MOST_USERS, WORTH_IT = 10, 256, 1.1  # of the ramp
WARM_SECONDS = 10


class Person(FastHttpUser):  # type: ignore[misc]  # locust has no types here
    """Looks at one range and model, as a browser does: what it has, it names."""

    keys: list[str] = []
    pause = (1.0, 3.0)
    met: Counter[str] = Counter()
    chance = random.Random(1)  # noqa: S311  the same people every time
    connection_timeout = network_timeout = 60.0

    def wait_time(self) -> float:
        return self.chance.uniform(*self.pause)

    def on_start(self) -> None:
        self.key = self.chance.choice(self.keys)
        (since,), (model,) = (self.chance.choices(of, MOST_TAKE_THE_FIRST) for of in (RANGES, MODELS))
        self.view = {"since": since, "model": model}
        self.tags: dict[str, str] = {}
        self.traces: list[str] = []

    @task(40)  # type: ignore[untyped-decorator]
    def lists(self) -> None:
        told = self._read(self.chance.choice(LISTS).format(**self.view))
        self.traces = [one["trace_id"] for one in told.get("data", ())] or self.traces

    @task(40)  # type: ignore[untyped-decorator]
    def figures(self) -> None:
        self._read(self.chance.choice(FIGURES).format(**self.view))

    @task(10)  # type: ignore[untyped-decorator]
    def details(self) -> None:
        if not self.traces:
            self.lists()
        if self.traces:
            self._read(f"/api/v1/traces/{self.chance.choice(self.traces)}", "/api/v1/traces/{trace_id}")

    @task(10)  # type: ignore[untyped-decorator]
    def others(self) -> None:
        self._read(self.chance.choice(OTHERS))

    def _read(self, path: str, route: str = "") -> Any:
        route = route or ("/api/v1/traces?q=" if "&q=" in path else path.partition("?")[0])
        headers = {"X-API-Key": self.key}
        if path in self.tags:
            headers["If-None-Match"] = self.tags[path]
        with self.client.get(path, name=route, headers=headers, catch_response=True) as reply:
            if reply.status_code not in (200, NOT_MODIFIED):
                reply.failure(f"{reply.status_code}: {(reply.text or '')[:100]}")
                return {}
            reply.success()
            if "ETag" in reply.headers:
                self.tags[path] = reply.headers["ETag"]
            if path not in UNCACHED:
                is_kept = reply.status_code == NOT_MODIFIED or reply.headers.get("X-Cache") == "HIT"
                self.met["kept" if is_kept else "computed"] += 1
            return {} if reply.status_code == NOT_MODIFIED else reply.json()


def run(wanted: dict[str, Any]) -> None:
    """Let each phase happen and print what was met in it."""
    Person.host, Person.keys = wanted["host"], wanted["keys"]
    environment = Environment(user_classes=[Person])
    runner = environment.create_local_runner()
    for phase in wanted["phases"]:
        if phase["name"] == "ramp":
            told = _ramp(environment, runner)
        else:
            Person.pause = (1.0, 3.0)
            told = _phase(environment, runner, users=phase["users"], seconds=phase["seconds"])
        sys.stdout.write(json.dumps({"phase": phase["name"], **told}) + "\n")
        sys.stdout.flush()
    runner.quit()


def _ramp(environment: Any, runner: Any) -> dict[str, Any]:
    """Double people who never pause until that brings less than a tenth more answers."""
    Person.pause, best, users = (0.0, 0.0), {"rate": 0.0}, 4
    while users <= MOST_USERS:
        told = _phase(environment, runner, users=users, seconds=STEP_SECONDS)
        if told["rate"] < best["rate"] * WORTH_IT:
            return max(best, told, key=lambda one: one["rate"])
        best, users = told, users * 2
    return best


def _phase(environment: Any, runner: Any, *, users: int, seconds: float) -> dict[str, Any]:
    runner.start(users, spawn_rate=max(1, users // 5))
    gevent.sleep(WARM_SECONDS)  # they have come, and what comes first is not of the figures
    environment.stats.reset_all()
    Person.met.clear()
    gevent.sleep(seconds)
    told = {
        "users": users,
        "rate": environment.stats.total.num_requests / seconds,
        "failed": environment.stats.total.num_failures / max(1, environment.stats.total.num_requests),
        "failures": [f"{one.name}: {one.error}" for one in environment.stats.errors.values()],
        "met": dict(Person.met),
        "routes": {one.name: _percentiles(one) for one in environment.stats.entries.values()},
        "all": _percentiles(environment.stats.total),
    }
    runner.stop()
    return told


def _percentiles(entry: Any) -> dict[str, float]:
    return {f"p{part}": float(entry.get_response_time_percentile(part / 100) or 0) for part in (50, 95, 99)}


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
