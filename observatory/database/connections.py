"""The connections of processes like this one, as the server counts them."""

from django.db import connection


def connections_by_state() -> dict[str, int]:
    """Return how many connections of processes of this kind run a statement or transaction, and how many are idle."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE state <> 'idle'), count(*) FILTER (WHERE state = 'idle')
            FROM pg_stat_activity
            WHERE datname = current_database() AND usename = current_user
                AND application_name = current_setting('application_name')
            """
        )
        active, idle = cursor.fetchone()
    return {"active": active, "idle": idle}
