"""POST /traces/{trace_id}/feedback and /evaluations."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, cast

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import bodies, schema
from analytics.api.bodies import Member
from analytics.api.common import caller_of
from analytics.api.idempotency import once
from analytics.api.parameters import validate
from analytics.api.views import AnalyticsView
from analytics.queries.traces import Located, locate_trace, stores_span
from analytics.storage.opinions import EVALUATION_COLUMNS, FEEDBACK_COLUMNS, Subject, evaluation_add, feedback_add
from analytics.storage.spans import Tenant
from analytics.telling import tell_opinion
from errors.catalog import INVALID_FIELD_FORMAT, INVALID_FIELD_VALUE, TRACE_NOT_FOUND, UNPROCESSABLE_CONTENT
from errors.exceptions import ApiError
from errors.schema import ERROR_REPLIES

_LABEL_CHARS = 256
_LONGEST_COMMENT, _LONGEST_EXPLANATION = 4000, 10_000
_SPAN_ID = re.compile(r"[0-9a-f]{16}")


def _span_id(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _SPAN_ID.fullmatch(value.lower()):
        raise ApiError(INVALID_FIELD_FORMAT, field=name, expected="16 hex digits")
    return value.lower()


def _text(name: str, longest: int, description: str, *, required: bool = False) -> Member:
    return Member(
        name=name,
        read=bodies.text(longest=longest, shortest=1 if required else 0),
        schema={"type": "string", "maxLength": longest},
        description=description,
        required=required,
    )


_SPAN = Member(
    name="span_id",
    read=_span_id,
    schema={"type": "string", "pattern": "^[0-9a-f]{16}$"},
    description="The span that is meant; without one it is the whole trace.",
)
FEEDBACK_MEMBERS: tuple[Member, ...] = (
    Member(
        name="score",
        read=bodies.number(low=Decimal(0), high=Decimal(1)),
        schema={"type": "number", "minimum": 0, "maximum": 1},
        description="From 0, useless, to 1.",
        required=True,
    ),
    _SPAN,
    Member(
        name="resolved",
        read=bodies.flag,
        schema={"type": "boolean"},
        description="Whether the user's problem was solved.",
    ),
    _text("comment", _LONGEST_COMMENT, "What the user said."),
    _text("user_id", _LABEL_CHARS, "Who said it."),
    Member(
        name="labels",
        read=bodies.texts(most=settings.MAX_ARRAY_ITEMS, longest=_LABEL_CHARS),
        schema={"type": "array", "items": {"type": "string"}},
        description="Short labels.",
    ),
)
EVALUATION_MEMBERS: tuple[Member, ...] = (
    _text("evaluator_name", _LABEL_CHARS, "What judged.", required=True),
    Member(
        name="score",
        read=bodies.number(),
        schema={"type": "number"},
        description="Its score, on its own scale; this or passed is needed.",
    ),
    Member(name="passed", read=bodies.flag, schema={"type": "boolean"}, description="Whether it is good enough."),
    _text("label", _LABEL_CHARS, "Its verdict in a word."),
    _text("explanation", _LONGEST_EXPLANATION, "Why."),
    _SPAN,
)


class _OpinionView(AnalyticsView):
    """A writing route about one trace in scope."""

    members: ClassVar[Sequence[Member]]
    only_reads = False

    def read(self, request: Request, trace_id: str) -> tuple[Subject, dict[str, Any]]:
        """Return what is meant and the body's values; raise 404/1301, 400/1200-1205."""
        validate(request.query_params, ())
        values = bodies.read_body(cast("dict[str, Any]", request.data), self.members)
        where = locate_trace(caller_of(request).scope(), trace_id)
        if where is None:
            raise ApiError(TRACE_NOT_FOUND, trace_id=trace_id[:64])
        return _subject(where, values.pop("span_id")), values


def _subject(where: Located, span_id: str | None) -> Subject:
    span = None if span_id is None else bytes.fromhex(span_id)
    if span is not None and not stores_span(where, span):
        raise ApiError(INVALID_FIELD_VALUE, field="span_id", details="The trace has no such span")
    organisation = where.scope.projects[where.project_id].organisation_id
    return Subject(
        tenant=Tenant(organisation_id=organisation, project_id=where.project_id),
        trace_id=where.trace_id,
        span_id=span,
        first_ts=where.range.start,
        last_ts=where.range.end,
    )


def _told(subject: Subject, given: Mapping[str, Any], names: Sequence[str], **kept: Any) -> Response:
    told = {
        "id": str(kept.pop("id")),
        "trace_id": subject.trace_id.hex(),
        "span_id": None if subject.span_id is None else subject.span_id.hex(),
        **kept,
        **{name: given[name] for name in names},
    }
    return Response(told, status=status.HTTP_201_CREATED)


class FeedbackView(_OpinionView):
    """Keeps what a user said about a trace."""

    permission = "feedback:write"
    members = FEEDBACK_MEMBERS

    @extend_schema(
        operation_id="traces_feedback",
        request={
            "application/json": bodies.schema_of(
                FEEDBACK_MEMBERS, example={"score": 0, "comment": "It made the order number up.", "labels": ["wrong"]}
            )
        },
        responses={201: schema.ref("Feedback"), **ERROR_REPLIES},
    )
    def post(self, request: Request, trace_id: str) -> Response:
        return once(request, partial(self._keep, request, trace_id))

    def _keep(self, request: Request, trace_id: str) -> Response:
        subject, values = self.read(request, trace_id)
        values["labels"] = None if values["labels"] is None else list(values["labels"])
        kept = feedback_add(subject, values=values, now=timezone.now())
        tell_opinion(subject, "feedback")
        return _told(subject, values, FEEDBACK_COLUMNS, id=kept.id, created_at=kept.created_at)


class EvaluationView(_OpinionView):
    """Keeps what an evaluator found of a trace."""

    permission = "evaluations:write"
    members = EVALUATION_MEMBERS

    @extend_schema(
        operation_id="traces_evaluations",
        request={
            "application/json": bodies.schema_of(
                EVALUATION_MEMBERS, example={"evaluator_name": "groundedness", "score": 0.82, "passed": True}
            )
        },
        responses={201: schema.ref("Evaluation"), **ERROR_REPLIES},
    )
    def post(self, request: Request, trace_id: str) -> Response:
        return once(request, partial(self._keep, request, trace_id))

    def _keep(self, request: Request, trace_id: str) -> Response:
        subject, values = self.read(request, trace_id)
        if values["score"] is None and values["passed"] is None:
            raise ApiError(UNPROCESSABLE_CONTENT, field="score", details="Send score, passed or both")
        kept = evaluation_add(subject, values=values, now=timezone.now())
        tell_opinion(subject, "evaluation")
        return _told(subject, values, EVALUATION_COLUMNS, id=kept.id, timestamp=kept.created_at)
