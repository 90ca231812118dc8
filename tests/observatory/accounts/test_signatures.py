"""Each row of the rules of signing, over HTTP."""

import hashlib
import hmac
import time
import uuid

import pytest
from django.test import Client

from observatory.accounts.services import api_key_create
from tests.analytics.api.payloads import request, span
from tests.observatory.accounts.credentials import bearer, client, error

TRACES = "/api/v1/traces"


@pytest.fixture
def signing(tenant):
    return api_key_create(
        organisation=tenant.organisation, name="signs", projects=tenant.projects, permissions=["*"], signing="required"
    )


def headers(key, *, method="GET", target=TRACES, body=b"", at=None, nonce=None, secret=None):
    at, nonce = str(int(time.time()) if at is None else at), nonce or uuid.uuid4().hex
    text = f"v1\n{at}\n{nonce}\n{method}\n{target}\n{hashlib.sha256(body).hexdigest()}".encode()
    digest = hmac.new((secret or key.signing_secret).encode(), text, hashlib.sha256).hexdigest()
    return {
        "X-API-Key": key.secret,
        "X-Signature": f"v1={digest}",
        "X-Signature-Timestamp": at,
        "X-Signature-Nonce": nonce,
    }


def test_a_signed_request_is_answered(signing):
    target = f"{TRACES}?limit=5&model=gpt%2D4o"

    assert client(**headers(signing, target=target)).get(target).status_code == 200


def test_a_signed_body_arrives_whole(signing):
    import json  # noqa: PLC0415

    body = json.dumps(request(span())).encode()
    signed = headers(signing, method="POST", target="/v1/traces", body=body)
    reply = Client(headers=signed).post("/v1/traces", body, content_type="application/json")

    assert (reply.status_code, reply.json()) == (200, {})


CHANGED = [
    ({"X-Signature": None}, (401, 1006)),
    ({"X-Signature-Timestamp": None}, (401, 1006)),
    ({"X-Signature-Nonce": None}, (401, 1006)),
    ({"X-Signature": "v2=" + "0" * 64}, (401, 1005)),
    ({"X-Signature": "v1=" + "0" * 64}, (401, 1005)),
    ({"X-Signature": "v1=xyz"}, (401, 1005)),
    ({"X-Signature": "é"}, (401, 1005)),
    ({"X-Signature-Timestamp": "now"}, (401, 1005)),
    ({"X-Signature-Timestamp": "-5"}, (401, 1005)),
    ({"X-Signature-Nonce": "short"}, (401, 1005)),
    ({"X-Signature-Nonce": "x" * 65}, (401, 1005)),
    ({"X-Signature-Nonce": "another-nonce-than-signed"}, (401, 1005)),
]


@pytest.mark.parametrize(("change", "answer"), CHANGED)
def test_a_signature_that_is_missing_or_malformed_is_refused(signing, change, answer):
    sent = headers(signing) | change
    reply = client(**{name: value for name, value in sent.items() if value is not None}).get(TRACES)

    assert error(reply) == answer


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "llmo_ss_" + "0" * 40},
        {"method": "POST"},
        {"target": f"{TRACES}?limit=1"},
        {"body": b"something"},
    ],
    ids=["secret", "method", "query", "body"],
)
def test_a_signature_of_another_request_is_refused(signing, wrong):
    assert error(client(**headers(signing, **wrong)).get(TRACES)) == (401, 1005)


@pytest.mark.parametrize(("seconds", "status"), [(-310, 401), (-290, 200), (290, 200), (310, 401)])
def test_a_signature_counts_for_five_minutes_either_way(signing, seconds, status):
    assert client(**headers(signing, at=int(time.time()) + seconds)).get(TRACES).status_code == status


def test_an_expired_signature_says_so(signing):
    assert error(client(**headers(signing, at=1)).get(TRACES)) == (401, 1007)


def test_a_nonce_counts_once(signing):
    signed = headers(signing)
    first, again = (client(**signed).get(TRACES) for _ in range(2))

    assert (first.status_code, error(again)) == (200, (401, 1008))


def test_a_nonce_of_a_wrong_signature_is_not_used_up(signing):
    nonce = uuid.uuid4().hex
    client(**headers(signing, nonce=nonce, secret="wrong")).get(TRACES)

    assert client(**headers(signing, nonce=nonce)).get(TRACES).status_code == 200


def test_without_a_store_of_nonces_nothing_signed_is_answered(signing, settings):
    settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    reply = client(**headers(signing)).get(TRACES)
    time.sleep(settings.RATE_LIMIT_RETRY_SECONDS)

    assert (error(reply), reply["Retry-After"]) == ((503, 1701), "1")


def test_a_token_of_a_signing_key_must_be_signed_too(signing):
    body = {"client_id": str(signing.key.id), "client_secret": signing.secret}
    unsigned = client().post("/auth/token", body, content_type="application/json")

    import json  # noqa: PLC0415

    sent = json.dumps(body)
    signed = headers(signing, method="POST", target="/auth/token", body=sent.encode())
    del signed["X-API-Key"]
    token = client(**signed).post("/auth/token", sent, content_type="application/json").json()["access_token"]
    with_signature = headers(signing) | {"Authorization": f"Bearer {token}"}
    del with_signature["X-API-Key"]

    assert (error(unsigned), error(bearer(token).get(TRACES)), client(**with_signature).get(TRACES).status_code) == (
        (401, 1006),
        (401, 1006),
        200,
    )


def test_a_signature_of_a_key_that_signs_nothing_is_ignored(tenant):
    assert client(**{"X-API-Key": tenant.key, "X-Signature": "nonsense"}).get(TRACES).status_code == 200


def test_the_signing_secret_is_not_stored_as_it_is(signing):
    stored = bytes(signing.key.signing_secret)

    assert signing.signing_secret.encode() not in stored
