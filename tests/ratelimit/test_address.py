import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from ratelimit.address import client_address, network_key


def address(settings, proxies, forwarded, remote="203.0.113.9"):
    settings.TRUSTED_PROXY_COUNT = proxies
    extra = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **extra))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "203.0.113.9"),
        (0, "198.51.100.1", "203.0.113.9"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 192.0.2.1", "198.51.100.1"),
        (2, "198.51.100.1", "203.0.113.9"),
        (1, None, "203.0.113.9"),
        (1, "", "203.0.113.9"),
        (1, "198.51.100.1, unknown", "203.0.113.9"),
        (1, "198.51.100.1:4711", "198.51.100.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:DB8:0::1", "2001:db8::1"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_client_is_the_nth_address_from_the_right(settings, proxies, forwarded, expected):
    assert address(settings, proxies, forwarded) == expected


@pytest.mark.parametrize(("remote", "expected"), [("::ffff:192.0.2.7", "192.0.2.7"), ("", ""), ("unix:", "unix:")])
def test_the_connections_address_is_given_as_far_as_there_is_one(settings, remote, expected):
    assert address(settings, 0, None, remote=remote) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
        ("somewhere", "unknown"),
    ],
)
def test_a_limit_counts_by_ipv4_address_or_ipv6_network(text, expected):
    assert network_key(text) == expected


@given(st.text())
def test_no_text_is_an_error(text):
    assert network_key(text)
