"""Asking the pages' questions ahead of people: what is answered is kept for them, and what is read is near."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from errors.catalog import Category
from errors.exceptions import ApiError
from observatory.accounts.authentication import principal_of_member
from observatory.accounts.models import Membership, Organisation, Project
from observatory.database import tenancy
from observatory.pages.asked import Asked, read
from observatory.pages.questions import Asker, Call
from observatory.pages.registry import PAGES
from observatory.pages.shapes import Page
from observatory.pages.subjects import traces
from observatory.pages.viewers import Viewer

KEPT, MADE = "HIT", "MISS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Whose questions are asked: one viewer for members who share replies, over all they reach and project by project.

    `projects` are those that are looked at one by one.
    """

    organisation: Organisation
    viewer: Viewer
    projects: Sequence[Project]

    @property
    def pages(self) -> int:
        """How many pages are asked for."""
        return (1 + len(self.projects)) * sum(self.viewer.may(one.permission) for one in PAGES)


@dataclass(slots=True, kw_only=True)
class Warmed:
    """What became of the questions of an organisation: made anew, kept already, asked of routes without a cache."""

    organisation: str
    viewers: int = 0
    pages: int = 0
    made: int = 0
    kept: int = 0
    uncached: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def plans_of(organisations: Sequence[Organisation], *, project: Project | None = None) -> list[Plan]:
    """Return what there is to ask: members with the same permissions and projects share replies, one asks for all."""
    found: list[Plan] = []
    for organisation in organisations:
        known: set[object] = set()
        members = Membership.objects.filter(organisation=organisation).select_related("organisation")
        for member in members.order_by("pk"):
            principal = principal_of_member(member)
            reach = frozenset(one.id for one in principal.projects)
            if (principal.permissions, reach) in known or (project is not None and project.pk not in reach):
                continue
            known.add((principal.permissions, reach))
            projects = list(Project.objects.filter(pk__in=reach).order_by("name"))
            viewer = Viewer(principal=principal, organisation=organisation, projects=projects)
            alone = [one for one in projects if project is None or one.pk == project.pk]
            # With a single project the page without a choice is the page of that project.
            found.append(Plan(organisation=organisation, viewer=viewer, projects=alone if len(projects) > 1 else []))
    return found


def warm(
    plans: Sequence[Plan], *, start: str, end: str, planned: Callable[[int], Callable[[int], None]]
) -> list[Warmed]:
    """Ask every question of the pages for a range; nothing is charged to anybody's limits."""
    done, found = planned(sum(one.pages for one in plans)), dict[int, Warmed]()
    for plan in plans:
        slug = plan.organisation.slug
        told = found.setdefault(plan.organisation.pk, Warmed(organisation=slug))
        told.viewers += 1
        with tenancy.only(str(plan.organisation.pk)):
            for project in (None, *plan.projects):
                given = {"start_time": start, "end_time": end, "project_id": project.slug if project else ""}
                for page in PAGES:
                    if plan.viewer.may(page.permission):
                        _ask_of(page, plan, given, told)
                        told.pages += 1
                        done(1)
    return list(found.values())


def _ask_of(page: Page, plan: Plan, given: Mapping[str, str], told: Warmed) -> None:
    request = HttpRequest()
    request.method, request.path = "GET", f"/app/o/{plan.organisation.slug}/{page.key}"
    request.GET = QueryDict(urlencode({name: value for name, value in given.items() if value}))
    asker = Asker(request, plan.viewer, charges=False)
    asked = read(request, base=request.path.rpartition("/")[0], own=page.own)
    for call in _calls(page, plan, asked, asker, told):
        try:
            asker.ask(call)
        except ApiError as problem:
            _note(problem, told)
    outcomes = asker.outcomes
    told.made += outcomes.pop(MADE, 0)
    told.kept += outcomes.pop(KEPT, 0)
    told.uncached += outcomes.total()


def _calls(page: Page, plan: Plan, asked: Asked, asker: Asker, told: Warmed) -> Iterator[Call]:
    """Yield the calls of a page; what to ask may follow from an answer, which is asked for then."""
    if page is traces.TRACES:
        yield traces.list_call(asked)
    for panel in page.panels:
        if plan.viewer.may(panel.permission):
            try:
                yield from panel.calls(asked, asker.ask)
            except ApiError as problem:
                _note(problem, told)


def _note(problem: ApiError, told: Warmed) -> None:
    # What pages tell in the place of a panel, such as too short a history for a forecast, is an answer.
    if problem.spec.category is not Category.VALIDATION:
        told.refused[problem.spec.error_code] += 1
