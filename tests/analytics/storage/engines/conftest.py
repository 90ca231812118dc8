"""What only one of the engines has is not collected on the other."""

from tests import timescale

collect_ignore = (
    ["test_plain.py"]
    if timescale.wanted()
    else ["test_timescale.py", "test_timescale_packed.py", "test_timescale_search.py", "test_moving.py"]
)
