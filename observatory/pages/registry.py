"""The pages in the order of the navigation."""

from collections.abc import Mapping

from observatory.pages.shapes import Page
from observatory.pages.subjects.overview import OVERVIEW
from observatory.pages.subjects.traces import TRACES

PAGES: tuple[Page, ...] = (OVERVIEW, TRACES)
BY_KEY: Mapping[str, Page] = {one.key: one for one in PAGES}
