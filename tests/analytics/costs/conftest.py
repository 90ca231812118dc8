"""A connection beside the test's, and what only one of the engines has."""

from tests import timescale
from tests.analytics.api.conftest import send  # noqa: F401  a fixture
from tests.analytics.storage.conftest import owner  # noqa: F401  a fixture

collect_ignore = [] if timescale.wanted() else ["test_columnstore.py"]
