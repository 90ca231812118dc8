"""Real programs under stock instrumentors talk to the service, and the REST API is compared with what was said."""

import json
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.model_server import model_server
from tests.e2e.programs.conversation import SESSION, USER
from tests.e2e.programs.exchanges import CHATS, EMBEDDING, EXCHANGES, Exchange
from tests.servers import unmeasured

pytestmark = pytest.mark.e2e

PROGRAMS = ("openinference", "openllmetry")
ROOT = Path(__file__).resolve().parents[2]
# USD of each exchange by hand, from prices per million tokens: gpt-4o 2.50 in, 1.25 cached, 10.00 out;
# gpt-4o-mini 0.15 in, 0.075 cached, 0.60 out; text-embedding-3-small 0.02 in. Reasoning costs what output costs.
COST_USD = {
    "plain": Decimal("0.0075"),  # 1000 * 2.50 + 500 * 10.00
    "cached": Decimal("0.00397"),  # 512 * 2.50 + 1536 * 1.25 + 77 * 10.00
    "streamed": Decimal("0.0001695"),  # 182 * 0.15 + 128 * 0.075 + 221 * 0.60
    "embedding": Decimal("0.00000024"),  # 12 * 0.02
}
ANSWERED = tuple(said for said in CHATS if said.status == 200)
BILLED = tuple(said for said in ANSWERED if said.usage_in_stream)
FAILED = tuple(said for said in CHATS if said.status != 200)
STREAMED = tuple(said for said in CHATS if said.streamed)
# OpenLLMetry leaves reasoning tokens out of streamed calls; OpenInference knows only the model that answered.
LEAVES_OUT_REASONING = {("openllmetry", "streamed")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one program printed, and the span the service has of each of its calls."""

    name: str
    calls: dict[str, dict[str, Any]]
    replies: list[list[Any]]
    spans: dict[str, dict[str, Any]]
    roots: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def api(service):
    viewer = service.credentials["users"]["viewer"]
    form = {"grant_type": "password", "username": viewer["username"], "password": viewer["password"]}
    with httpx.Client(base_url=service.base_url, timeout=30) as client:
        token = client.post("/auth/token", data=form).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture(scope="module", params=PROGRAMS)
def run(request, service, api):
    told = _run_program(request.param, service)
    details = {
        name: _get(api, f"/api/v1/traces/{call['trace_id']}", include="children")["data"]
        for name, call in told["calls"].items()
    }
    return Run(
        name=request.param,
        calls=told["calls"],
        replies=told["replies"],
        spans={name: _call_span(detail) for name, detail in details.items()},
        roots=details,
    )


def _run_program(name: str, service: Any) -> dict[str, Any]:
    with model_server() as url:
        environment = {
            **unmeasured(),
            "NO_PROXY": "localhost,127.0.0.1",
            "MODEL_URL": url,
            "OTLP_ENDPOINT": f"{service.base_url}/v1/traces",
            "OTLP_KEY": service.credentials["ingest_key"],
        }
        command = [sys.executable, "-m", f"tests.e2e.programs.{name}_program"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _get(api: httpx.Client, path: str, **params: str) -> dict[str, Any]:
    body: dict[str, Any] = api.get(path, params=params).raise_for_status().json()
    return body


def _call_span(detail: dict[str, Any]) -> dict[str, Any]:
    (span,) = (span for span in detail["spans"] if span.get("parent_span_id") == detail["span_id"])
    return span


def _usd(value: Any) -> Decimal:
    return Decimal(str(value))


@pytest.fixture(params=EXCHANGES, ids=lambda said: said.name)
def any_call(request) -> Exchange:
    return request.param


@pytest.fixture(params=ANSWERED, ids=lambda said: said.name)
def answered(request) -> Exchange:
    return request.param


@pytest.fixture(params=BILLED, ids=lambda said: said.name)
def billed(request) -> Exchange:
    return request.param


@pytest.fixture(params=FAILED, ids=lambda said: said.name)
def failed(request) -> Exchange:
    return request.param


@pytest.fixture(params=STREAMED, ids=lambda said: said.name)
def streamed(request) -> Exchange:
    return request.param


def test_everything_a_stock_exporter_sends_is_accepted_without_partial_success(run):
    assert {tuple(reply) for reply in run.replies} == {(200, "")}


def test_the_trace_list_finds_both_spans_of_a_call(run, api, any_call):
    page = _get(api, "/api/v1/traces", trace_id=run.calls[any_call.name]["trace_id"])

    assert {span["span_id"] for span in page["data"]} == {
        run.roots[any_call.name]["span_id"],
        run.spans[any_call.name]["span_id"],
    }


def test_provider_and_operation_of_a_call_are_known(run, any_call):
    span = run.spans[any_call.name]

    operation = "embeddings" if any_call is EMBEDDING else "chat"
    assert (span["provider"], span["operation_name"]) == ("openai", operation)


def test_the_model_of_an_answered_call_is_what_the_instrumentor_said(run, answered):
    span = run.spans[answered.name]

    said = {
        "openinference": (answered.answered_by, None),
        "openllmetry": (answered.model, answered.answered_by),
    }
    assert (span["model"], span.get("response_model")) == said[run.name]


def test_the_model_of_a_failed_call_is_the_one_asked_for(run, failed):
    assert run.spans[failed.name]["model"] == failed.model


def test_tokens_are_those_the_server_billed(run, billed):
    span = run.spans[billed.name]

    reasoning = 0 if (run.name, billed.name) in LEAVES_OUT_REASONING else billed.reasoning_tokens
    expected = {
        "prompt_tokens": billed.prompt_tokens,
        "completion_tokens": billed.completion_tokens,
        "total_tokens": billed.prompt_tokens + billed.completion_tokens,
        "uncached_input_tokens": billed.prompt_tokens - billed.cached_tokens,
        "cache_read_tokens": billed.cached_tokens,
        "visible_output_tokens": billed.completion_tokens - reasoning,
        "reasoning_tokens": reasoning,
    }
    assert {name: span[name] for name in expected} == expected


def test_cost_is_the_bill_computed_by_hand(run, billed):
    assert _usd(run.spans[billed.name]["total_cost_usd"]) == COST_USD[billed.name]


def test_the_cost_of_a_trace_is_the_cost_of_its_only_call(run, billed):
    assert _usd(run.roots[billed.name]["trace_cost_usd"]) == COST_USD[billed.name]


def test_an_embedding_is_priced_by_its_input(run):
    span = run.spans["embedding"]

    assert (span["prompt_tokens"], _usd(span["total_cost_usd"])) == (EMBEDDING.prompt_tokens, COST_USD["embedding"])


def test_a_stream_without_usage_has_no_cost_and_says_why(run):
    span = run.spans["streamed_without_usage"]

    assert (span.get("total_cost_usd"), span["unpriced_reason"]) == (None, "no_usage")


def test_duration_lies_between_the_servers_delay_and_what_the_program_measured(run, answered):
    duration_ms = run.spans[answered.name]["duration_ms"]

    # A duration is whole milliseconds, rounded to the nearest.
    assert answered.seconds * 1000 - 1 <= duration_ms <= run.calls[answered.name]["elapsed_ms"] + 1


def test_time_to_first_token_of_a_stream_is_part_of_its_duration(run, streamed):
    span = run.spans[streamed.name]

    assert 0 < span["ttft_ms"] <= span["duration_ms"]


def test_calls_say_whether_they_were_streamed(run, answered):
    assert (run.spans[answered.name].get("streamed") or False) is answered.streamed


def test_input_and_output_are_the_texts_that_were_exchanged(run, answered):
    span = run.spans[answered.name]

    assert (span["input_text"], span["output_text"]) == (answered.question, run.calls[answered.name]["answer"])


def test_the_program_received_the_servers_answer(run, answered):
    assert run.calls[answered.name]["answer"] == answered.answer


def test_finish_reason_of_an_answered_call_is_stop(run, answered):
    assert run.spans[answered.name]["finish_reason"] == "stop"


def test_an_answered_call_is_not_an_error(run, answered):
    assert run.spans[answered.name]["status_code"] in {"OK", "UNSET"}


def test_a_failed_call_is_an_error_with_the_servers_sentence(run, failed):
    span = run.spans[failed.name]

    assert (span["status_code"], failed.error in span["error_message"]) == ("ERROR", True)


def test_a_failed_call_has_the_class_of_its_error(run, failed):
    classes = {"limited": "RateLimitError", "broken": "InternalServerError"}

    assert run.spans[failed.name]["error_type"].rpartition(".")[2] == classes[failed.name]


def test_the_input_of_a_failed_call_is_kept(run, failed):
    assert run.spans[failed.name]["input_text"] == failed.question


def test_the_user_of_a_call_is_known(run, any_call):
    assert run.spans[any_call.name]["user_id"] == USER


def test_service_and_environment_come_from_the_resource(run, any_call):
    span = run.spans[any_call.name]

    assert (span["service_name"], span["environment"]) == (f"{run.name}-program", "e2e")


def test_session_and_tags_are_what_the_instrumentor_can_say(run, any_call):
    span = run.spans[any_call.name]

    # OpenLLMetry has neither without its own SDK.
    said = {"openinference": (SESSION, ["e2e"]), "openllmetry": (None, [])}
    assert (span.get("session_id"), span.get("tags") or []) == said[run.name]


def test_calls_are_found_by_their_user(run, api):
    # The other program's calls are of the same user, and a list asked before this program ran may still be cached.
    page = _get(api, "/api/v1/traces", user_id=USER, service_name=f"{run.name}-program", limit="100")

    assert {span["span_id"] for span in run.spans.values()} <= {span["span_id"] for span in page["data"]}
