"""Requests made of the OpenAPI document, good and bad: none ends in a 500, all replies are as the document says.

`FUZZ_EXAMPLES=50 FUZZ_EVERY=1 pytest -n 0 tests/observatory/test_schema_fuzzed.py` asks more, for some minutes.
"""

import os
from itertools import count

import requests
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi

from tests.documented import DOCUMENT
from tests.observatory.accounts.credentials import claims, signed
from tests.observatory.asking import ask

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2"))
# The library tries out every bound of every parameter, about a hundred times each operation.
EVERY = int(os.environ.get("FUZZ_EVERY", "11"))
STREAMS = r"/(events|ws)$"  # they go on for ever, elsewhere
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
]
fuzzed = schemathesis.openapi.from_dict(DOCUMENT).exclude(path_regex=STREAMS)
fuzzed.config.generation.update(with_security_parameters=False)
schemathesis.serializer("application/x-protobuf")(lambda _context, _value: b"\x0a\x00")
numbers = count()
_OF_THE_CLIENT = {"content-length", "accept-encoding"}  # the library's own: it expects somebody to unpack replies


def answer(case, token):
    """Send a case as an administrator whom nothing can take away; whatever it changes is undone."""
    made = case.as_transport_kwargs(base_url="http://testserver")
    made["headers"] = {**(made.get("headers") or {}), "Authorization": f"Bearer {token}"}
    sent = requests.Request(
        **{name: made[name] for name in ("method", "url", "headers", "json", "data", "params", "files") if name in made}
    ).prepare()
    headers = {name: value for name, value in sent.headers.items() if name.lower() not in _OF_THE_CLIENT}
    body = sent.body.encode() if isinstance(sent.body, str) else (sent.body or b"")
    content_type = headers.pop("Content-Type", "")
    with transaction.atomic():
        reply, content = ask(
            sent.path_url,
            method=sent.method,
            client=Client(raise_request_exception=False),
            data=body,
            content_type=content_type,
            headers=headers,
        )
        transaction.set_rollback(True)
    told = {name.lower(): [value] for name, value in reply.items()}
    return schemathesis.Response(reply.status_code, told, content, sent, 0.0, False)


@fuzzed.parametrize()
@settings(
    derandomize=True,
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_is_answered_with_a_failure_or_with_what_the_document_does_not_say(case, tenant):
    if next(numbers) % EVERY:
        return
    token = signed(claims(tenant, role="admin", permissions=["*"], lives=3600))
    case.validate_response(answer(case, token), checks=CHECKS)
