import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.observatory.accounts.credentials import bearer, claims, client, error, post, sign_in, signed

TRACES = "/api/v1/traces"


@pytest.fixture(scope="module")
def pair():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


@pytest.fixture
def rs256(settings, pair):
    settings.JWT_ALGORITHM = "RS256"
    settings.JWT_PRIVATE_KEY, settings.JWT_PUBLIC_KEY = pair


@pytest.fixture
def jwks(pair):
    """The address of a key set with the public key under the id `one`."""
    document = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(serialization.load_pem_public_key(pair[1].encode())))
    body = json.dumps({"keys": [document | {"kid": "one", "use": "sig"}]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()


def test_tokens_are_signed_with_the_private_and_verified_with_the_public_key(tenant, member, rs256):
    member("viewer")
    token = sign_in("viewer").json()["access_token"]

    assert (jwt.get_unverified_header(token)["alg"], bearer(token).get(TRACES).status_code) == ("RS256", 200)


def test_another_algorithm_is_refused_whoever_signed(tenant, rs256, settings, pair):
    forged = [signed(claims(tenant)), jwt.encode(claims(tenant), None, algorithm="none")]

    assert [error(bearer(token).get(TRACES)) for token in forged] == [(401, 1001)] * 2


@pytest.mark.parametrize("path", ["/auth/token", "/auth/refresh"])
def test_without_a_private_key_tokens_are_only_verified(tenant, rs256, settings, pair, path):
    settings.JWT_PRIVATE_KEY = ""
    token = signed(claims(tenant), key=pair[0], algorithm="RS256")

    assert (error(post(path, {}))[:2], bearer(token).get(TRACES).status_code) == ((501, 1901), 200)


def test_without_a_public_key_the_key_set_verifies(tenant, rs256, settings, pair, jwks):
    settings.JWT_PUBLIC_KEY, settings.JWT_JWKS_URL = "", jwks
    good, other = (
        jwt.encode(claims(tenant), pair[0], algorithm="RS256", headers={"kid": kid}) for kid in ("one", "two")
    )

    assert (bearer(good).get(TRACES).status_code, error(bearer(other).get(TRACES))) == (200, (401, 1001))


def test_a_key_set_that_does_not_answer_is_no_fault_of_the_token(tenant, rs256, settings, pair):
    settings.JWT_PUBLIC_KEY, settings.JWT_JWKS_URL = "", "http://127.0.0.1:1/jwks"
    token = jwt.encode(claims(tenant), pair[0], algorithm="RS256", headers={"kid": "one"})

    assert error(client(Authorization=f"Bearer {token}").get(TRACES)) == (502, 1700)
