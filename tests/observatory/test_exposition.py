import urllib.error
import urllib.request

import pytest

from observatory.exposition import expose


@pytest.fixture
def told():
    """Return a function that asks a served process for a path and tells the status and the text."""
    server = expose("127.0.0.1", 0)

    def ask(path="/metrics", **headers):
        asked = urllib.request.Request(f"http://127.0.0.1:{server.server_port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    yield ask
    server.shutdown()
    server.server_close()


def test_a_process_of_its_own_tells_its_series(told):
    status, text = told()

    assert (status, "# TYPE rollup_refresh_duration_seconds histogram" in text) == (200, True)


def test_who_may_not_read_is_told_what_to_set(told, settings):
    settings.METRICS_ALLOWED_NETWORKS = ()

    status, text = told()

    assert (status, "METRICS_ALLOWED_NETWORKS" in text, "rollup" in text) == (403, True, False)


def test_the_token_opens_it_from_everywhere(told, settings):
    settings.METRICS_ALLOWED_NETWORKS, settings.METRICS_TOKEN = (), "the-token"

    assert (told(Authorization="Bearer the-token")[0], told(Authorization="Bearer another")[0]) == (200, 403)


def test_another_path_is_not_found(told):
    assert told("/")[0] == 404
