"""One turn as a trace: its spans with their times, tokens, messages and failures, not yet told in any vocabulary."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from analytics.management.demo.content import fill
from analytics.management.demo.rhythm import SECOND_NS
from analytics.management.demo.sessions import Turn
from analytics.management.demo.shapes import INSTRUCTIONS, Kind, Step
from analytics.management.demo.tools import TOOL_FAILURE, TOOL_FAILURE_RATE, TOOLS, Tool
from analytics.management.demo.vendors import EMBEDDING_MODEL, FAILURE_RATE, FAILURES, INCIDENT, MODELS, Failure, Model

RETRY_RATE = 0.6
STREAM_RATE = 0.85
CACHE_BLOCK = 128
PROMPT_TOKENS_PER_S = 20_000


@dataclass(slots=True, kw_only=True)
class DemoSpan:
    """A span as facts; `failure` is the error's type and message."""

    span_id: bytes
    parent_id: bytes | None
    kind: Kind
    name: str
    start_ns: int
    end_ns: int = 0
    failure: tuple[str, str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All spans of one turn, parents before their children."""

    trace_id: bytes
    turn: Turn
    spans: list[DemoSpan]

    def shift(self, nanoseconds: int) -> None:
        """Move the whole trace in time."""
        for span in self.spans:
            span.start_ns += nanoseconds
            span.end_ns += nanoseconds


def build_trace(rng: Random, turn: Turn, *, incident_ns: range) -> Trace:
    """Return the trace of `turn`; model calls that start within `incident_ns` meet the incident."""
    building = _Building(rng=rng, turn=turn, incident_ns=incident_ns)
    building.run(turn.session.shape.root, None, turn.start_ns)
    return Trace(trace_id=rng.randbytes(16), turn=turn, spans=building.spans)


class _Building:
    """The state while a trace grows: its spans, the messages so far, the tool that the model asked for."""

    def __init__(self, *, rng: Random, turn: Turn, incident_ns: range) -> None:
        self.rng = rng
        self.turn = turn
        self.incident_ns = incident_ns
        self.spans: list[DemoSpan] = []
        self.question, self.answer = turn.session.exchange(turn.number)
        self.messages = [*self._history(), {"role": "user", "content": self.question}]
        self.called: tuple[Tool, str] | None = None
        self.kinds: dict[Kind, Callable[[Step, DemoSpan], None]] = {
            Kind.AGENT: self._parent,
            Kind.WORKFLOW: self._parent,
            Kind.CHAT: self._chat,
            Kind.TOOL: self._tool,
            Kind.RETRIEVAL: self._retrieval,
            Kind.EMBEDDINGS: self._embeddings,
        }

    def run(self, step: Step, parent: DemoSpan | None, at_ns: int) -> DemoSpan:
        """Add the span of `step` and of everything inside it; return the span."""
        span = DemoSpan(
            span_id=self.rng.randbytes(8),
            parent_id=parent.span_id if parent else None,
            kind=step.kind,
            name=step.name,
            start_ns=at_ns,
        )
        self.spans.append(span)
        self.kinds[step.kind](step, span)
        return span

    def _history(self) -> Iterator[dict[str, Any]]:
        if self.turn.number > 0:
            question, answer = self.turn.session.exchange(self.turn.number - 1)
            yield {"role": "user", "content": question}
            yield {"role": "assistant", "content": answer}

    def _parent(self, step: Step, span: DemoSpan) -> None:
        span.facts["asked"] = self.question
        span.facts["agent_name" if step.kind is Kind.AGENT else "workflow_name"] = step.name
        now = span.start_ns
        for inner in step.inside:
            for _ in range(self.rng.randint(*inner.times)):
                now = self._run_inside(inner, span, now)
                if span.failure:
                    span.end_ns = now
                    return
        span.facts["answered"] = self.answer
        span.end_ns = now

    def _run_inside(self, step: Step, parent: DemoSpan, now: int) -> int:
        """Run a step, once more when that is what callers do; a failed model call fails its parent."""
        child = self.run(step, parent, now + self._ns(0.001, 0.008))
        if child.failure and child.facts.get("retried") and self.rng.random() < RETRY_RATE:
            child = self.run(step, parent, child.end_ns + self._ns(0.5, 2.0))
        if step.kind is Kind.CHAT:
            parent.failure = child.failure
        return child.end_ns + self._ns(0.001, 0.004)

    def _chat(self, step: Step, span: DemoSpan) -> None:
        (name,) = self.rng.choices([name for name, _ in step.models], [weight for _, weight in step.models])
        model = MODELS[name]
        troubled = model.provider == INCIDENT.provider and span.start_ns in self.incident_ns
        failure = self._failure(troubled=troubled)
        slowdown = INCIDENT.slowdown if troubled else 1.0
        span.facts |= {
            "model": model,
            "prompt_name": step.name,
            "instructions": INSTRUCTIONS[step.name],
            "input_messages": list(self.messages),
            "parameters": {"temperature": 0.2 if step.tools else 0.7, "max_tokens": 2048},
            "streamed": step.streams and self.rng.random() < STREAM_RATE,
        }
        if step.tools:
            span.facts["tools_offered"] = step.tools
        if failure:
            self._fail(span, model, failure, slowdown)
        if failure is None or failure.answered:
            self._reply(step, span, model, slowdown)
        if failure and failure.answered:
            span.facts["finish_reason"] = "content_filter"

    def _failure(self, *, troubled: bool) -> Failure | None:
        rate, failures = (INCIDENT.failure_rate, INCIDENT.failures) if troubled else (FAILURE_RATE, FAILURES)
        if self.rng.random() >= rate:
            return None
        return self.rng.choices(failures, [failure.weight for failure in failures])[0]

    def _fail(self, span: DemoSpan, model: Model, failure: Failure, slowdown: float) -> None:
        message = fill(failure.message, {"model": model.name, "provider": model.provider})
        span.failure = (failure.error_type, message)
        span.facts |= {"http_status": failure.http_status, "retried": failure.retried}
        span.end_ns = span.start_ns + int(self._ns(*failure.seconds) * slowdown)

    def _reply(self, step: Step, span: DemoSpan, model: Model, slowdown: float) -> None:
        usage = self._usage(step, model)
        first_token_s = (model.first_token_s + usage["input"] / PROMPT_TOKENS_PER_S) * self._spread(0.35) * slowdown
        writing_s = usage["output"] / model.tokens_per_s * self._spread(0.2) * slowdown
        span.end_ns = span.start_ns + int((first_token_s + writing_s) * SECOND_NS)
        if span.facts["streamed"]:
            span.facts["first_token_s"] = round(first_token_s, 4)
        message = self._message(step)
        self.messages.append(message)
        span.facts |= {
            "usage": usage,
            "response_model": model.answered_by,
            "response_id": f"resp_{self.rng.getrandbits(80):020x}",
            "finish_reason": "tool_calls" if step.tools else "stop",
            "output_messages": [message],
        }

    def _message(self, step: Step) -> dict[str, Any]:
        if not step.tools:
            text = fill(step.says, self.turn.session.slots) if step.says else self.answer
            return {"role": "assistant", "content": text}
        self.called = (TOOLS[self.rng.choice(step.tools)], f"call_{self.rng.getrandbits(64):016x}")
        tool, call_id = self.called
        call = {"id": call_id, "name": tool.name, "arguments": fill(tool.arguments, self.turn.session.slots)}
        return {"role": "assistant", "tool_call": call}

    def _usage(self, step: Step, model: Model) -> dict[str, int]:
        """Return token counts; `input` and `output` contain their details."""
        total = self._count(step.prompt_tokens * (1 + 0.3 * self.turn.number), 0.45)
        output = self._count(step.output_tokens, 0.6)
        usage = {"input": total, "output": output}
        if total >= model.caches_from and self.rng.random() < (0.75 if self.turn.number else 0.35):
            usage["cache_read"] = int(total * self.rng.uniform(0.4, 0.85)) // CACHE_BLOCK * CACHE_BLOCK
        elif total >= model.caches_from and model.says_cache_writes:
            usage["cache_write"] = int(total * self.rng.uniform(0.4, 0.7))
        if self.rng.random() < model.reasons:
            usage["reasoning"] = self._count(1.5 * step.output_tokens, 0.7)
            usage["output"] += usage["reasoning"]
        return usage

    def _tool(self, step: Step, span: DemoSpan) -> None:
        tool, call_id = self.called or (TOOLS[self.rng.choice(step.tools)], f"call_{self.rng.getrandbits(64):016x}")
        self.called = None
        span.name = tool.name
        span.end_ns = span.start_ns + int(tool.seconds * self._spread(0.5) * SECOND_NS)
        arguments = fill(tool.arguments, self.turn.session.slots)
        span.facts |= {"tool_name": tool.name, "tool_call_id": call_id, "tool_arguments": arguments}
        if self.rng.random() < TOOL_FAILURE_RATE:
            error_type, message = TOOL_FAILURE
            span.failure = (error_type, fill(message, {"tool": tool.name}))
            return
        result = fill(self.rng.choice(tool.results), self.turn.session.slots)
        span.facts["tool_result"] = result
        self.messages.append({"role": "tool", "content": result, "tool_call_id": call_id})

    def _retrieval(self, step: Step, span: DemoSpan) -> None:
        passage = fill(self.turn.session.topic.passage, self.turn.session.slots)
        scores = sorted((round(self.rng.uniform(0.55, 0.95), 3) for _ in range(self.rng.randint(2, 4))), reverse=True)
        span.end_ns = span.start_ns + self._ns(0.015, 0.09)
        span.facts |= {
            "data_source": step.name,
            "query": self.question,
            "documents": [
                {"id": f"{step.name}-{self.rng.randrange(10_000)}", "score": score, "content": passage}
                for score in scores
            ],
        }

    def _embeddings(self, step: Step, span: DemoSpan) -> None:
        usage = {"input": self._count(step.prompt_tokens, 0.5)}
        span.end_ns = span.start_ns + int(EMBEDDING_MODEL.first_token_s * self._spread(0.4) * SECOND_NS)
        span.facts |= {
            "model": EMBEDDING_MODEL,
            "response_model": EMBEDDING_MODEL.answered_by,
            "usage": usage,
            "embedded": self.question,
        }

    def _ns(self, low_s: float, high_s: float) -> int:
        return int(self.rng.uniform(low_s, high_s) * SECOND_NS)

    def _spread(self, sigma: float) -> float:
        """Return a factor around 1, log-normal."""
        return self.rng.lognormvariate(0.0, sigma)

    def _count(self, median: float, sigma: float) -> int:
        return max(1, round(self.rng.lognormvariate(math.log(median), sigma)))
