"""Which process runs which file, and which tests are measured. An early plugin: the process that hands out reads it too."""

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

SERVICE = "files that start the whole service"
# What takes long although it has few tests: begun last, one process would wait for it. Others go by their number of tests.
FIRST = (
    SERVICE,
    "tests/observatory/test_matrix.py",
    "tests/analytics/ingest/test_bodies.py",
    "tests/analytics/queries/test_random_plans.py",
    "tests/analytics/storage/test_histories.py",
)


class Scheduling(LoadFileScheduling):
    """A file stays with one process, and so do those that start the service, which then starts once and not twice."""

    def _split_scope(self, nodeid: str) -> str:
        return SERVICE if nodeid.startswith(("tests/e2e/", "tests/faults/")) else super()._split_scope(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        first = next((scope for scope in FIRST if scope in self.workqueue), None)
        if first is not None:
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave random examples out of the coverage: what they happen to reach differs, and measuring doubles their time."""
    for item in items:
        if hasattr(getattr(item, "obj", None), "hypothesis"):
            item.add_marker("no_cover")
