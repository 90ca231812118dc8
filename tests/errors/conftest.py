import pytest
from django.test import Client


@pytest.fixture
def failing_client(settings):
    """A client of `tests.errors.urls` behind the error middleware alone; exceptions become replies."""
    settings.ROOT_URLCONF = "tests.errors.urls"
    settings.MIDDLEWARE = ["errors.middleware.ErrorEnvelopeMiddleware"]
    return Client(raise_request_exception=False)
