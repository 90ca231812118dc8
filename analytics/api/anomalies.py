"""GET /anomalies: hours in which a metric was beyond what hours like them are."""

from functools import partial

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.anomalies.selectors import ANOMALIES, METADATA, anomalies, version_of_anomalies
from analytics.api import schema
from analytics.api.caching.views import Answer, CachedView, Question
from analytics.api.common import FIELDS, PROJECTS, RANGE, caller_of, canonical, moves, plain_text, time_range
from analytics.api.figures import WEEK
from analytics.api.overviews import bounded
from analytics.api.parameters import Parameter, choice, documented, validate
from analytics.models import AnomalyStatus
from analytics.queries.timerange import TimeRange
from analytics.registry.anomalies import WATCHED, Severity
from analytics.storage.versions import RangeVersion
from errors.schema import ERROR_REPLIES

_MOST, _DEFAULT = 200, 50
_NARROWING = {"metric": list(WATCHED), "severity": [one.value for one in Severity], "status": AnomalyStatus.values}
ANOMALY_PARAMETERS: tuple[Parameter, ...] = (
    *RANGE,
    PROJECTS,
    *(
        Parameter(
            name=name,
            read=choice({value: value for value in values}),
            schema={"type": "string", "enum": values},
            description=f"Only anomalies of this {name}.",
        )
        for name, values in _NARROWING.items()
    ),
    *(plain_text(name, f"Only anomalies of this {name}.") for name in ("provider", "model")),
    bounded("limit", high=_MOST, default=_DEFAULT, description="Most anomalies, the newest."),
    FIELDS,
)


class AnomaliesView(CachedView):
    """Anomalies of the range, the newest first."""

    permission = "metrics:read"
    route, cache_group, parameters = "/anomalies", "B", ANOMALY_PARAMETERS

    @extend_schema(
        operation_id="anomalies",
        parameters=documented(ANOMALY_PARAMETERS),
        responses={200: schema.bare(ANOMALIES, METADATA, explained=False), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        return self.respond(request)

    def ask(self, request: Request, **_path: str) -> Question:
        values = validate(request.query_params, self.parameters)
        where = time_range(values, default=WEEK, longest_days=settings.METRICS_MAX_RANGE_DAYS)
        plan = partial(
            anomalies,
            narrowed={name: values[name] for name in (*_NARROWING, "provider", "model") if values[name] is not None},
            limit=values["limit"],
            wanted=ANOMALIES.chosen(values["fields"]),
        )
        scope = caller_of(request).scope(values["project_id"])
        return Question(scope=scope, values=canonical(values), range=where, moves=moves(values), plan=plan)

    def answer(self, question: Question) -> Answer:
        return Answer(data=question.plan(scope=question.scope, where=question.range))

    def version(self, question: Question, where: TimeRange) -> RangeVersion:
        return version_of_anomalies(question.scope, where)
