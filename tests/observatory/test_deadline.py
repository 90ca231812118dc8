from tests.observatory.accounts.credentials import error


def test_a_reply_that_comes_too_late_is_no_reply(api, settings):
    settings.REQUEST_TIMEOUT_SECONDS = 0

    assert error(api.get("/api/v1/metrics/performance")) == (504, 1800)


def test_an_error_goes_as_it_is_however_late(api, settings):
    settings.REQUEST_TIMEOUT_SECONDS = 0

    assert error(api.get("/api/v1/metrics/performance?limit=1"))[:2] == (400, 1202)
