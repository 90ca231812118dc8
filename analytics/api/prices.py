"""GET /costs/prices."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.api import schema
from analytics.api.common import LIMIT_AND_OFFSET, PROJECTS, caller_of, plain_text
from analytics.api.parameters import Parameter, documented, text, validate
from analytics.api.resources import page_of
from analytics.api.views import AnalyticsView
from analytics.costs.prices import ListedPrice, prices_list
from analytics.pricing.book import RATES
from analytics.queries.timerange import parse_time, round_up
from errors.schema import ERROR_REPLIES

PRICE_PARAMETERS: tuple[Parameter, ...] = (
    plain_text("provider", "Provider, as spans name it."),
    plain_text("model", "Rows whose pattern matches this name of a model."),
    Parameter(
        name="at",
        read=text(longest=64),
        schema={"type": "string", "examples": ["2026-11-05T10:30:00Z", "2026-11-05", "now"]},
        description="Only rows that hold at this time; without it also earlier, later and corrected ones.",
    ),
    PROJECTS,
    *LIMIT_AND_OFFSET,
)


class PriceListView(AnalyticsView):
    """Rows of the price book: everybody's and the organisation's own."""

    permission = "costs:read"
    parameters = PRICE_PARAMETERS

    @extend_schema(
        operation_id="costs_prices",
        parameters=documented(PRICE_PARAMETERS),
        responses={200: schema.named_list("prices", schema.ref("Price")), **ERROR_REPLIES},
    )
    def get(self, request: Request) -> Response:
        values = validate(request.query_params, self.parameters)
        scope = caller_of(request).scope(values["project_id"])
        (organisation_id,) = set(scope.tenant["organisations"])
        now = round_up(timezone.now(), grid=settings.TIME_GRID_SECONDS)
        limit, offset = values["limit"], values["offset"]
        page = prices_list(
            organisation_id=organisation_id,
            provider=values["provider"],
            model=values["model"],
            at=None if values["at"] is None else parse_time(values["at"], field="at", now=now),
            offset=offset,
            limit=limit,
        )
        prices = [_price(one) for one in page.prices]
        return page_of("prices", prices, total=page.total, limit=limit, offset=offset)


def _price(one: ListedPrice) -> dict[str, Any]:
    price = one.price
    return {
        "id": str(price.id),
        "provider": price.provider,
        "model_pattern": price.model_pattern,
        "service_tier": price.service_tier,
        "min_prompt_tokens": price.min_prompt_tokens,
        "valid_from": price.valid_from,
        "valid_to": price.valid_to,
        **{name: getattr(price, name) for name in RATES},
        "shared": one.shared,
        "source": price.source,
    }
