"""What other tools export becomes the row that the same call would have been."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from llm_observatory import Client, cli
from llm_observatory.importing import records_of, spans_of

from tests.clients.test_python_client import Service

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
END = START + timedelta(milliseconds=1500)
NS = 1_000_000_000
TRACE, SPAN, ROOT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
LANGFUSE = {
    "id": SPAN,
    "traceId": TRACE,
    "parentObservationId": ROOT,
    "type": "GENERATION",
    "name": "answer",
    "startTime": START.isoformat().replace("+00:00", ".000Z"),
    "endTime": END.isoformat().replace("+00:00", "Z"),
    "model": "gpt-4o",
    "modelParameters": {"temperature": 0.5},
    "usageDetails": {"input": 1000, "output": 500, "total": 1500},
    "input": [{"role": "user", "content": "Where is my parcel?"}],
    "output": {"role": "assistant", "content": "On its way."},
    "metadata": {"shop": "north"},
    "level": "DEFAULT",
    "sessionId": "s-1",
    "userId": "u-1",
    "environment": "production",
}
PHOENIX = {
    "name": "answer",
    "context": {"trace_id": TRACE, "span_id": SPAN},
    "parent_id": ROOT,
    "span_kind": "LLM",
    "start_time": START.isoformat(),
    "end_time": END.isoformat(),
    "status_code": "OK",
    "status_message": "",
    "attributes": {
        "llm": {
            "model_name": "gpt-4o",
            "provider": "openai",
            "token_count": {"prompt": 1000, "completion": 500, "total": 1500},
            "invocation_parameters": '{"temperature": 0.5}',
            "input_messages": [{"message": {"role": "user", "content": "Where is my parcel?"}}],
            "output_messages": [{"message": {"role": "assistant", "content": "On its way."}}],
        },
        "session": {"id": "s-1"},
        "user": {"id": "u-1"},
        "shop": "north",
    },
    "events": [],
}
MLFLOW = {
    "info": {"trace_metadata": {"mlflow.trace.session": "s-1", "mlflow.trace.user": "u-1"}},
    "data": {
        "spans": [
            {
                "trace_id": "W47/95gDgQPSabYzgT/GDA==",
                "span_id": "7uGbfsPBsXQ=",
                "parent_span_id": "7uGbfsPBsXM=",
                "name": "answer",
                "start_time_unix_nano": int(START.timestamp()) * NS,
                "end_time_unix_nano": int(START.timestamp()) * NS + 1_500_000_000,
                "status": {"code": "STATUS_CODE_OK", "message": ""},
                "attributes": {
                    "mlflow.spanType": '"CHAT_MODEL"',
                    "mlflow.llm.model": '"gpt-4o"',
                    "mlflow.llm.provider": '"openai"',
                    "mlflow.spanInputs": '{"messages": [{"role": "user", "content": "Where is my parcel?"}], "temperature": 0.5}',
                    "mlflow.spanOutputs": '{"choices": [{"message": {"role": "assistant", "content": "On its way."}}]}',
                    "mlflow.chat.tokenUsage": '{"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}',
                    "shop": '"north"',
                },
            }
        ]
    },
}
FIELDS = "trace_id,span_id,parent_span_id,model,prompt_tokens,completion_tokens,total_cost_usd,duration_ms,session_id,user_id,input_text,output_text"


@pytest.fixture
def moved(tenant, monkeypatch, tmp_path, api, capsys):
    """Return a function that imports records by the command and tells its status, its output and the rows."""
    monkeypatch.setattr(
        cli, "Client", lambda _url, *, key: Client("http://s", key=key or tenant.key, transport=Service())
    )

    def move(tool, *records, text=None):
        path = tmp_path / "export.json"
        path.write_text(text if text is not None else json.dumps(list(records)))
        status = cli.main(["--json", "import", str(path), "--from", tool])
        told = capsys.readouterr()
        rows = api.get("/api/v1/traces", {"fields": FIELDS})
        return status, [line for line in told.out.splitlines() if "sent" in line], told.err, rows.json()["data"]

    return move


@pytest.mark.parametrize(("tool", "record"), [("langfuse", LANGFUSE), ("phoenix", PHOENIX), ("mlflow", MLFLOW)])
def test_a_call_is_the_same_row_whoever_exported_it(moved, tool, record):
    status, told, _, rows = moved(tool, record)

    assert (status, told) == (0, ['{"sent": 1, "rejected": 0}'])
    assert rows == [
        {
            "trace_id": TRACE,
            "span_id": SPAN,
            "parent_span_id": ROOT,
            "model": "gpt-4o",
            "prompt_tokens": 1000,
            "completion_tokens": 500,
            "total_cost_usd": 0.0075,
            "duration_ms": 1500,
            "session_id": "s-1",
            "user_id": "u-1",
            "input_text": rows[0]["input_text"],
            "output_text": rows[0]["output_text"],
        }
    ]
    assert ("Where is my parcel?" in rows[0]["input_text"], "On its way." in rows[0]["output_text"]) == (True, True)


def test_a_file_that_is_sent_twice_is_stored_once(moved):
    uuid = LANGFUSE | {"id": "0b2c1c3e-8d2d-4a54-9a3c-3a2f9f0f3a11", "traceId": "cm4-trace"}
    moved("langfuse", uuid)

    assert len(moved("langfuse", uuid)[3]) == 1


@pytest.mark.parametrize(
    "form", [json.dumps({"data": [LANGFUSE]}), json.dumps(LANGFUSE) + "\n", json.dumps([LANGFUSE])]
)
def test_every_form_of_a_file_is_read(tmp_path, form):
    path = tmp_path / "export"
    path.write_text(form)

    assert [*records_of(path)] == [LANGFUSE]


def test_an_object_a_line_is_read(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(f"{json.dumps(LANGFUSE)}\n\n{json.dumps(LANGFUSE)}\n")

    assert [*records_of(path)] == [LANGFUSE, LANGFUSE]


def test_a_record_of_another_tool_is_refused_by_its_number(moved):
    status, told, err, rows = moved("phoenix", PHOENIX, LANGFUSE)

    assert (status, told, "record 2 is none that phoenix writes" in err, rows) == (1, [], True, [])


@pytest.mark.parametrize(
    ("tool", "failed"),
    [
        ("langfuse", LANGFUSE | {"level": "ERROR", "statusMessage": "boom"}),
        ("phoenix", PHOENIX | {"status_code": "ERROR", "status_message": "boom"}),
        (
            "mlflow",
            {
                "data": {
                    "spans": [MLFLOW["data"]["spans"][0] | {"status": {"code": "STATUS_CODE_ERROR", "message": "boom"}}]
                }
            },
        ),
    ],
)
def test_what_failed_stays_failed(tool, failed):
    (span,) = spans_of(tool, [failed])

    assert span["status"] == {"code": 2, "message": "boom"}


@pytest.mark.parametrize(
    ("tool", "record"),
    [
        ("langfuse", "a text"),
        ("phoenix", 5),
        ("mlflow", ["a list"]),
        ("phoenix", PHOENIX | {"context": {"trace_id": 5, "span_id": 6}}),
    ],
)
def test_whatever_is_no_record_at_all_is_refused_in_a_sentence(moved, tool, record):
    status, told, err, _ = moved(tool, record)

    assert (status, told) == (1, [])
    assert err.startswith(f"observatory: record 1 is none that {tool} writes")


def test_ids_of_mlflow_in_digits_stay_as_they_are():
    written = MLFLOW["data"]["spans"][0] | {"trace_id": TRACE, "span_id": SPAN, "parent_span_id": ROOT}

    (span,) = spans_of("mlflow", [{"data": {"spans": [written]}}])

    assert (span["traceId"], span["spanId"], span["parentSpanId"]) == (TRACE, SPAN, ROOT)
