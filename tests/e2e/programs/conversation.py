"""The calls both instrumented programs make: ordinary use of the `openai` client, each call in a trace of its own."""

import json
import os
import sys
import time
from typing import Any

import requests
from openai import APIStatusError, OpenAI
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.e2e.programs.exchanges import EMBEDDING, EXCHANGES, Exchange

SESSION = "session-e2e"
USER = "user-e2e"


def provider_of(service_name: str, replies: list[tuple[int, str]]) -> TracerProvider:
    """Return a tracer provider that exports to `OTLP_ENDPOINT` with `OTLP_KEY`: protobuf with gzip.

    Status and body (hex) of every reply to the exporter are added to `replies`.
    """
    session = requests.Session()
    session.hooks["response"].append(lambda reply, **_: replies.append((reply.status_code, reply.content.hex())))
    exporter = OTLPSpanExporter(
        endpoint=os.environ["OTLP_ENDPOINT"],
        headers={"Authorization": f"Bearer {os.environ['OTLP_KEY']}"},
        compression=Compression.Gzip,
        session=session,
    )
    resource = Resource.create({"service.name": service_name, "deployment.environment.name": "e2e"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def converse(provider: TracerProvider) -> dict[str, Any]:
    """Make every call of `EXCHANGES`, export, and return name -> trace id, measured milliseconds and the answer."""
    tracer = provider.get_tracer("conversation")
    client = OpenAI(base_url=os.environ["MODEL_URL"], api_key="unused", max_retries=0)
    told: dict[str, Any] = {}
    for said in EXCHANGES:
        with tracer.start_as_current_span(f"ask {said.name}") as span:
            begun = time.perf_counter()
            answer = _ask(client, said)
            elapsed_ms = (time.perf_counter() - begun) * 1000
            trace_id = format(span.get_span_context().trace_id, "032x")
        told[said.name] = {"trace_id": trace_id, "elapsed_ms": elapsed_ms, "answer": answer}
    provider.shutdown()
    return told


def report(told: dict[str, Any], replies: list[tuple[int, str]]) -> None:
    """Print what happened as one JSON object."""
    json.dump({"calls": told, "replies": replies}, sys.stdout)


def _ask(client: OpenAI, said: Exchange) -> str:
    if said is EMBEDDING:
        client.embeddings.create(model=said.model, input=said.question, encoding_format="float", user=USER)
        return ""
    try:
        return _streamed(client, said) if said.streamed else _whole(client, said)
    except APIStatusError as error:
        return f"{error.status_code}"


def _messages(said: Exchange) -> Any:
    return [{"role": role, "content": text} for role, text in said.messages]


def _whole(client: OpenAI, said: Exchange) -> str:
    reply = client.chat.completions.create(model=said.model, messages=_messages(said), temperature=0.5, user=USER)
    return reply.choices[0].message.content or ""


def _streamed(client: OpenAI, said: Exchange) -> str:
    options: Any = {"stream_options": {"include_usage": True}} if said.usage_in_stream else {}
    chunks = client.chat.completions.create(
        model=said.model, messages=_messages(said), max_tokens=400, user=USER, stream=True, **options
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
