"""The pages in the order of the navigation."""

from collections.abc import Mapping

from observatory.pages.shapes import Page
from observatory.pages.subjects.anomalies import ANOMALIES
from observatory.pages.subjects.budgets import BUDGETS
from observatory.pages.subjects.cost import COST
from observatory.pages.subjects.models import MODELS
from observatory.pages.subjects.overview import OVERVIEW
from observatory.pages.subjects.performance import PERFORMANCE
from observatory.pages.subjects.quality import QUALITY
from observatory.pages.subjects.traces import TRACES

PAGES: tuple[Page, ...] = (OVERVIEW, COST, PERFORMANCE, QUALITY, MODELS, ANOMALIES, BUDGETS, TRACES)
BY_KEY: Mapping[str, Page] = {one.key: one for one in PAGES}
