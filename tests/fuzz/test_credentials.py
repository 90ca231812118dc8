"""Tokens and signatures: whatever is in them, nobody gets in by them, and nothing breaks."""

import json
import time
import uuid

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st
from jwt.api_jws import PyJWS

from observatory.accounts.services import api_key_create
from tests.fuzz.conftest import ANYTHING, MANY, mostly
from tests.observatory.accounts.test_signatures import headers

ME, TRACES = "/api/v1/me", "/api/v1/traces"
UUIDS = st.uuids().map(str)
NOW = int(time.time())
CLAIMS = st.fixed_dictionaries(
    {
        "sub": mostly(UUIDS | UUIDS.map("key:{}".format) | UUIDS.map("user:{}".format)),
        "org_id": mostly(UUIDS),
        "projects": mostly(st.lists(UUIDS, max_size=2)),
        "role": mostly(st.sampled_from(["admin", "developer", "viewer", "owner"])),
        "permissions": mostly(st.lists(st.sampled_from(["*", "traces:read", "no:such"]) | ANYTHING, max_size=2)),
        "iat": mostly(st.just(NOW)),
        "exp": mostly(st.sampled_from([NOW + 600, NOW + 10**9, 10**30, 2**63, NOW - 1])),
        "jti": mostly(UUIDS),
    },
    optional={
        "iss": mostly(st.just(settings.JWT_ISSUER)),
        "aud": mostly(st.just(settings.JWT_AUDIENCE)),
        "nbf": mostly(st.just(NOW)),
        "narrowed": ANYTHING,
        "token_type": ANYTHING,
    },
)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80)
TOKENS = st.builds("{}.{}.{}".format, TEXTS, TEXTS, TEXTS) | TEXTS | TEXTS.map("eyJhbGciOiJub25lIn0.{}.".format)


@pytest.fixture(scope="module")
def anybody():
    return Client(raise_request_exception=False)


def with_token(client, token):
    return client.get(ME, headers={"Authorization": f"Bearer {token}"})


def signed(claims):
    """Sign claims that a library would refuse to."""
    return PyJWS().encode(json.dumps(claims).encode(), settings.JWT_SECRET, algorithm="HS256")


@MANY
@given(token=TOKENS)
@example("eyJhbGciOiJub25lIn0.e30.")
def test_any_text_that_is_no_token_is_refused(db, anybody, judge, token):
    reply = with_token(anybody, token)

    assert (reply.status_code, judge(reply, 401, 429)) in {(401, True), (429, True)}, reply.content


@MANY
@given(claims=CLAIMS)
def test_any_claims_under_a_good_signature_open_nothing_that_is_not_there(db, anybody, judge, claims):
    reply = with_token(anybody, signed(claims))

    assert reply.status_code >= 400, reply.content
    assert judge(reply, 401, 403), (reply.status_code, reply.content, claims)


@pytest.fixture
def signing(tenant):
    return api_key_create(
        organisation=tenant.organisation, name="signs", projects=tenant.projects, permissions=["*"], signing="required"
    )


CHANGES = st.dictionaries(
    st.sampled_from(["X-Signature", "X-Signature-Timestamp", "X-Signature-Nonce"]),
    TEXTS
    | st.integers(-(10**14), 10**14).map(str)
    | st.sampled_from(["v1=", "v1=" + "f" * 64, "v2=" + "0" * 64, "v1=" + "0" * 63 + "G", "٣" * 10, "", "a" * 65]),
    min_size=1,
)


@MANY
@given(changes=CHANGES, nonce=st.uuids())
def test_any_change_of_a_signature_is_refused(anybody, signing, judge, changes, nonce):
    right = headers(signing, nonce=uuid.UUID(int=nonce.int).hex)
    if all(right[name] == value for name, value in changes.items()):
        return
    reply = anybody.get(TRACES, headers=right | changes)

    assert (reply.status_code, judge(reply, 401)) == (401, True), reply.content
