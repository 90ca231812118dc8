"""Every reply that any test meets: an error has the shape that the document shows, and its number is noted.

An early plugin. At the end of a whole run every row of the catalogue must have been met over HTTP; the numbers that a
run met are in `errors-met.txt` of its folder, one line each time.
"""

import json
import os
import re
from functools import cache, wraps
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from jsonschema import Draft202012Validator

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "error_code", "category", "request_id"],
    "additionalProperties": {"type": ["string", "integer", "array"]},
}
# Whoever asks has no use for the envelope there: health has a body of its own, pages are read by people.
_OWN_BODIES = ("/health", "/admin/", "/app")
_OTLP = {f"{prefix}/v1/{signal}" for prefix in ("", "/api/v1/otlp") for signal in ("traces", "metrics", "logs")}
_NUMBER = re.compile(rb"\[(1[0-9]{3})\] ")
# Not raised over HTTP: told of single spans in a reply that is a success.
_IN_A_SUCCESS = {1216}


def _met() -> Path:
    return Path(os.environ["OBSERVATORY_HOME"]) / "errors-met.txt"


@cache
def _validators() -> dict[str, Draft202012Validator]:
    from errors.schema import COMPONENTS  # noqa: PLC0415  once coverage is measured

    return {
        "application/json": Draft202012Validator(
            COMPONENTS["Error"]
        ),  # as the document has it, which takes long to make
        "application/problem+json": Draft202012Validator(_PROBLEM),
    }


def _note(path: str, method: str, status: int, content_type: str, body: bytes) -> None:
    if status < 400 or method == "HEAD" or path.startswith(_OWN_BODIES):
        return
    if path in _OTLP:
        # google.rpc.Status, in JSON or protobuf; our number is in its message.
        code = next((int(number) for number in _NUMBER.findall(body)), None)
    else:
        validator = _validators().get(content_type)
        if validator is None:  # refusals of handshakes
            return
        told = json.loads(body)
        wrong = [problem.message for problem in validator.iter_errors(told)]
        assert wrong == [], f"{method} {path} was answered with {status} and {told}: {wrong}"
        code = told["error"]["code"] if "error" in told else told["code"]
    if code is not None:
        with _met().open("a") as lines:
            lines.write(f"{code}\n")


def _watch() -> None:
    ask, send = Client.request, httpx.Client.send

    @wraps(ask)
    def asked(self: Client, **request: Any) -> Any:
        reply = ask(self, **request)
        if not reply.streaming and not getattr(reply.wsgi_request, "urlconf", None):
            kind = reply.headers.get("Content-Type", "").partition(";")[0]
            if reply.headers.get("Content-Encoding") is None:
                _note(request["PATH_INFO"], request["REQUEST_METHOD"], reply.status_code, kind, reply.content)
        return reply

    @wraps(send)
    def sent(self: httpx.Client, request: httpx.Request, **given: Any) -> httpx.Response:
        reply = send(self, request, **given)
        if not given.get("stream") and "x-request-id" in reply.headers:
            kind = reply.headers.get("Content-Type", "").partition(";")[0]
            _note(request.url.path, request.method, reply.status_code, kind, reply.content)
        return reply

    Client.request, httpx.Client.send = asked, sent  # type: ignore[method-assign]


_watch()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a whole run in which a row of the catalogue was met by no test."""
    config = session.config
    is_whole = config.args_source is config.ArgsSource.TESTPATHS and not (
        config.option.keyword or config.option.markexpr
    )
    if hasattr(config, "workerinput") or not is_whole or session.exitstatus != pytest.ExitCode.OK:
        return
    from errors.catalog import CATALOGUE  # noqa: PLC0415  as above

    met = {int(line) for line in _met().read_text().split()}
    missing = sorted(set(CATALOGUE) - met - _IN_A_SUCCESS)
    if missing:
        config.get_terminal_writer().line(f"No test met these errors over HTTP: {missing}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
