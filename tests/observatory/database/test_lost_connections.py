"""A connection that its server ended is replaced when the next request begins, and never an error by itself."""

import pytest
from django.db import connections

pytestmark = pytest.mark.django_db


def opened():
    connection = connections.create_connection("default")
    connection.connect()
    return connection


def test_a_connection_that_was_found_lost_before_is_not_usable():
    connection = opened()
    connection.connection.close()

    assert connection.is_usable() is False


def test_a_connection_that_the_server_ended_is_not_usable():
    connection, other = opened(), opened()
    number = connection.connection.info.backend_pid
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [number])

    assert connection.is_usable() is False
    other.close()
    connection.close()


def test_a_quiet_connection_is_usable():
    connection = opened()

    assert connection.is_usable() is True
    connection.close()
