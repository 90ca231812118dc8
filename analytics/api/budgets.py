"""/costs/budgets: amounts for periods, with what is spent of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import bodies, schema
from analytics.api.bodies import Member
from analytics.api.budget_shapes import shown_budget, shown_period
from analytics.api.common import LIMIT_AND_OFFSET, PROJECTS, caller_of
from analytics.api.idempotency import once
from analytics.api.parameters import Parameter, documented, integer, validate
from analytics.api.resources import check_if_match, page_of, tagged
from analytics.api.views import ByMethodView
from analytics.costs.budgets import service
from analytics.costs.budgets.evaluation import FILTERS
from analytics.models import Budget, BudgetPeriodKind, ThresholdType
from analytics.scope import Scope
from analytics.storage.transactions import retried
from errors.catalog import INVALID_FIELD_FORMAT, NUMBER_OUT_OF_RANGE, ORGANISATION_BEYOND
from errors.exceptions import ApiError
from errors.json import plain_decimal
from errors.schema import ERROR_REPLIES

_LEAST, _MOST = Decimal("0.000000001"), Decimal(1_000_000_000)
# Every number of so many digits is read as it was written; one with more may have lost some on the way.
_MOST_DIGITS, _MOST_DECIMALS = 15, 9
_LONGEST_NAME, _LONGEST_LABEL = 200, 1000
_MOST_PERIODS, _PERIODS = 100, 12
_EVALUATED = re.compile(r'"(\d+)\.[^"]*"')


def _dollars(name: str, value: Any) -> Decimal:
    """Read an amount above 0, exactly."""
    found: Decimal = bodies.number()(name, value)
    if not _LEAST <= found <= _MOST:
        low, high = plain_decimal(_LEAST), plain_decimal(_MOST)
        raise ApiError(NUMBER_OUT_OF_RANGE, field=name, details=f"Received value: {value}", low=low, high=high)
    _, digits, exponent = found.normalize().as_tuple()
    if len(digits) > _MOST_DIGITS or (isinstance(exponent, int) and exponent < -_MOST_DECIMALS):
        expected = f"a number of at most {_MOST_DIGITS} digits, {_MOST_DECIMALS} of them behind the point"
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected=expected)
    return found


_DOLLARS = {"type": "number", "exclusiveMinimum": 0, "maximum": float(_MOST)}
_LABEL = bodies.text(shortest=1, longest=_LONGEST_LABEL)
FILTER_MEMBERS: tuple[Member, ...] = tuple(
    Member(name=name, read=_LABEL, schema={"type": ["string", "null"], "maxLength": _LONGEST_LABEL}) for name in FILTERS
)
MEMBERS: tuple[Member, ...] = (
    Member(
        name="name",
        read=bodies.text(shortest=1, longest=_LONGEST_NAME, stripped=True),
        schema={"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME},
        description="Unique in the organisation.",
        required=True,
    ),
    Member(name="amount", read=_dollars, schema=_DOLLARS, description="US dollars for a period.", required=True),
    Member(
        name="period",
        read=bodies.one_of({value: value for value in BudgetPeriodKind.values}),
        schema={"type": "string", "enum": list(BudgetPeriodKind.values)},
        description="A period of the calendar, in UTC.",
        required=True,
    ),
    Member(
        name="project_id",
        read=bodies.text(shortest=1, longest=_LONGEST_NAME),
        schema={"type": ["string", "null"]},
        description="UUID or slug; without one the budget is of the whole organisation.",
    ),
    Member(
        name="threshold_type",
        read=bodies.one_of({value: value for value in ThresholdType.values}),
        schema={"type": "string", "enum": list(ThresholdType.values), "default": ThresholdType.PERCENTAGE.value},
        description="Whether thresholds are percent of the amount, or dollars.",
    ),
    Member(
        name="warning_threshold",
        read=_dollars,
        schema=_DOLLARS,
        description="80 percent of the amount without one.",
    ),
    Member(
        name="critical_threshold",
        read=_dollars,
        schema=_DOLLARS,
        description="95 percent of the amount without one.",
    ),
    Member(
        name="filters",
        read=bodies.object_of(FILTER_MEMBERS),
        schema=bodies.schema_of(FILTER_MEMBERS),
        description="Only requests with these values count.",
    ),
    Member(
        name="hard_limit",
        read=bodies.flag,
        schema={"type": "boolean", "default": False},
        description="For gateways: whether to refuse requests while the state is exceeded. Ingest never does.",
    ),
    Member(
        name="is_active",
        read=bodies.flag,
        schema={"type": "boolean", "default": True},
        description="Whether it is evaluated.",
    ),
)
CHANGES: tuple[Member, ...] = tuple(replace(one, required=False) for one in MEMBERS)
_EXAMPLE = {"name": "Shop, production", "amount": 500, "period": "monthly", "filters": {"environment": "production"}}
LIST_PARAMETERS: tuple[Parameter, ...] = (PROJECTS, *LIMIT_AND_OFFSET)
HISTORY_PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        name="limit",
        read=integer(low=1, high=_MOST_PERIODS),
        schema={"type": "integer", "minimum": 1, "maximum": _MOST_PERIODS, "default": _PERIODS},
        default=_PERIODS,
        description="Periods, the newest first.",
    ),
)


class BudgetsBaseView(ByMethodView):
    """A route of budgets."""

    audited = "budget"
    only_reads = False


class BudgetListView(BudgetsBaseView):
    """Budgets in reach by name: of projects, and of the organisation for who reaches all of it."""

    permissions = {"GET": "costs:read", "POST": "budgets:write"}

    @extend_schema(
        operation_id="costs_budgets",
        parameters=documented(LIST_PARAMETERS),
        responses={200: schema.named_list("budgets", schema.ref("Budget")), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        values = validate(request.query_params, LIST_PARAMETERS)
        rows = service.budgets_of(_reach(request, values["project_id"]))
        total, limit, offset = rows.count(), values["limit"], values["offset"]
        page = list(rows[offset : offset + limit])
        current = service.current_periods(page, now=timezone.now())
        shown = [shown_budget(one, current[one.id]) for one in page]
        return page_of("budgets", shown, total=total, limit=limit, offset=offset)

    @extend_schema(
        operation_id="costs_budgets_create",
        request={"application/json": bodies.schema_of(MEMBERS, example=_EXAMPLE)},
        responses={201: schema.ref("Budget"), **ERROR_REPLIES},
    )
    def post(self, request: Request) -> Response:
        return once(request, partial(self._create, request))

    @staticmethod
    def _create(request: Request) -> Response:
        validate(request.query_params, ())
        values = bodies.read_body(_body(request), MEMBERS)
        given = {name: value for name, value in values.items() if value is not None}
        place, scope = _place(request, given.pop("project_id", None))
        budget = service.budget_add(place, given, scope=scope, now=timezone.now())
        location = f"{settings.API_BASE_URL}/api/v1/costs/budgets/{budget.id}"
        return _shown(request, budget, status=status.HTTP_201_CREATED, headers={"Location": location})


class BudgetView(BudgetsBaseView):
    """One budget: read, changed, deleted."""

    permissions = {"GET": "costs:read", "PATCH": "budgets:write", "DELETE": "budgets:write"}

    @extend_schema(operation_id="costs_budget", responses={200: schema.ref("Budget"), **ERROR_REPLIES})
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  the parameter's name in the document
        validate(request.query_params, ())
        return _shown(request, service.budget_get(_reach(request), id))

    @extend_schema(
        operation_id="costs_budgets_update",
        request={"application/json": bodies.schema_of(CHANGES)},
        responses={200: schema.ref("Budget"), **ERROR_REPLIES},
    )
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        validate(request.query_params, ())
        values = bodies.read_body(_body(request), CHANGES)
        changes = {name: value for name, value in values.items() if value is not None}
        named = changes.pop("project_id", None)
        moves = "project_id" in request.data

        def change(budget: Budget) -> tuple[service.Place | None, Mapping[str, Any]]:
            _check_if_match(request, budget)
            return _place(request, named)[0] if moves else None, changes

        budget = service.budget_edit(
            _reach(request), id, change, scope_of=lambda one: _place(request, _project_of(one))[1], now=timezone.now()
        )
        return _shown(request, budget)

    @extend_schema(operation_id="costs_budgets_delete", responses={204: None, **ERROR_REPLIES})
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        validate(request.query_params, ())

        def in_transaction() -> None:
            budget = service.budget_get(_reach(request), id, locked=True)
            _check_if_match(request, budget)
            budget.delete()

        retried(in_transaction)
        return Response(status=status.HTTP_204_NO_CONTENT)


class BudgetHistoryView(BudgetsBaseView):
    """The periods of a budget with their alerts, the newest first."""

    permissions = {"GET": "costs:read"}

    @extend_schema(
        operation_id="costs_budget_history",
        parameters=documented(HISTORY_PARAMETERS),
        responses={200: schema.ref("BudgetHistory"), **ERROR_REPLIES},
    )
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  as above
        values = validate(request.query_params, HISTORY_PARAMETERS)
        budget = service.budget_get(_reach(request), id)
        periods = service.history_of(budget, limit=values["limit"])
        return Response({"budget_id": str(budget.id), "history": [shown_period(one) for one in periods]})


def _body(request: Request) -> dict[str, Any]:
    return cast("dict[str, Any]", request.data)


def _reach(request: Request, projects: Sequence[str] = ()) -> service.Reach:
    caller = caller_of(request)
    return service.Reach(
        organisation_id=caller.organisation_id,
        projects=caller.scope(projects).projects.keys(),
        whole=not projects and caller.reaches_organisation,
    )


def _place(request: Request, project: str | None) -> tuple[service.Place, Scope]:
    """Return whose a budget is, and the projects that it sums; raise 403/1101 beyond the caller's reach."""
    caller = caller_of(request)
    place = service.Place(organisation_id=caller.organisation_id, organisation_uuid=caller.organisation_uuid)
    if project is None:
        if not caller.reaches_organisation:
            raise ApiError(ORGANISATION_BEYOND, field="project_id")
        return place, caller.scope()
    scope = caller.scope((project,))
    ((number, found),) = scope.projects.items()
    return replace(place, project_id=number, project_uuid=found.public_id), scope


def _project_of(budget: Budget) -> str | None:
    return None if budget.project_uuid is None else str(budget.project_uuid)


def _check_if_match(request: Request, budget: Budget) -> None:
    """Raise 412/1404 when `If-Match` names another version: evaluations since then are no change of the budget."""
    sent = request.headers.get("If-Match")
    check_if_match(None if sent is None else _EVALUATED.sub(r'"\1"', sent), budget.row_version)


def _shown(request: Request, budget: Budget, **reply: Any) -> Response:
    period = service.current_periods([budget], now=timezone.now())[budget.id]
    response = tagged(request, shown_budget(budget, period), service.version_of(budget, period), **reply)
    response.audited_id = str(budget.id)  # type: ignore[attr-defined]  # for the audit log
    if request.method in ("POST", "PATCH"):
        response.audited_changes = sorted(request.data)  # type: ignore[attr-defined]  # as above
    return response


VIEWS: Sequence[tuple[str, type[BudgetsBaseView]]] = (
    ("costs/budgets", BudgetListView),
    ("costs/budgets/<str:id>", BudgetView),
    ("costs/budgets/<str:id>/history", BudgetHistoryView),
)
