import pytest

from tests.observatory.accounts.credentials import bearer, client, error, post, sign_in

URL = "/api/v1/traces"


@pytest.fixture
def limits(settings):
    """Two refused credentials, three attempts to sign in."""
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"anonymous": 2, "auth": 3}
    settings.RATE_LIMIT_BURST_FACTOR = 1.0


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "llmo_sk_live_no"}, {"Authorization": "Bearer no"}], ids=repr)
def test_refused_credentials_are_paid_for_by_the_address(db, limits, headers):
    replies = [client(**headers).get(URL) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [401, 401, 429]
    assert [reply["X-RateLimit-Remaining"] for reply in replies] == ["1", "0", "0"]
    assert (error(replies[2]), int(replies[2]["Retry-After"]), "WWW-Authenticate" in replies[2]) == (
        (429, 1500),
        pytest.approx(28, abs=2),
        False,
    )


def test_an_address_that_failed_too_often_still_uses_a_good_credential(tenant, limits):
    for _ in range(3):
        client().get(URL)

    assert bearer(tenant.key).get(URL).status_code == 200


def test_addresses_pay_for_themselves(db, limits):
    for _ in range(2):
        client().get(URL)

    statuses = [client().get(URL, REMOTE_ADDR=address).status_code for address in ("127.0.0.1", "192.0.2.7")]

    assert statuses == [429, 401]


def test_sign_in_is_limited_whether_it_succeeds_or_not(member, limits):
    member("viewer")

    replies = [sign_in("viewer"), sign_in("viewer", password="wrong"), sign_in("viewer"), sign_in("viewer")]

    assert [reply.status_code for reply in replies] == [200, 401, 200, 429]
    assert (error(replies[3]), int(replies[3]["Retry-After"])) == ((429, 1502), pytest.approx(18, abs=2))


def test_the_routes_of_sign_in_share_one_bucket(db, limits):
    bodies = {"/auth/token": {}, "/auth/refresh": {}, "/auth/revoke": {}}

    told = [post(path, body)["RateLimit"] for path, body in bodies.items()]

    assert told == ['"auth";r=2;t=20', '"auth";r=1;t=40', '"auth";r=0;t=60']
