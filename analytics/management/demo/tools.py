"""Tools that the demo's agents call, with arguments, results and how they fail, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: arguments it is called with and results it gives, JSON with `$slots`."""

    name: str
    arguments: str
    results: tuple[str, ...]
    seconds: float


TOOL_FAILURE_RATE = 0.006
TOOL_FAILURE = ("tool_error", "$tool: upstream answered 503 Service Unavailable")
TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            name="lookup_order",
            arguments='{"order_id": "$order"}',
            results=(
                '{"order_id": "$order", "status": "shipped", "carrier": "DHL", "eta": "$weekday"}',
                '{"order_id": "$order", "status": "packed", "carrier": null, "eta": null}',
                '{"order_id": "$order", "status": "delivered", "city": "$city"}',
            ),
            seconds=0.12,
        ),
        Tool(
            name="create_return",
            arguments='{"order_id": "$order", "reason": "customer request"}',
            results=('{"return_id": "RET-$number", "label_url": "https://returns.example/$number"}',),
            seconds=0.3,
        ),
        Tool(
            name="search_help_center",
            arguments='{"query": "$product", "limit": 5}',
            results=('{"articles": ["Set up $product", "Warranty of $product"], "total": 2}', '{"articles": []}'),
            seconds=0.18,
        ),
        Tool(
            name="web_search",
            arguments='{"query": "$subject $year", "max_results": 8}',
            results=(
                '{"results": [{"title": "$subject: an overview", "url": "https://journal.example/$number"}]}',
                '{"results": [{"title": "Report $year on $subject", "url": "https://reports.example/$number"}]}',
            ),
            seconds=0.7,
        ),
        Tool(
            name="fetch_page",
            arguments='{"url": "https://reports.example/$number"}',
            results=('{"status": 200, "words": $number, "title": "Report $year on $subject"}',),
            seconds=0.9,
        ),
        Tool(
            name="run_python",
            arguments="{\"code\": \"df.groupby('year')['value'].pct_change().round(3)\"}",
            results=('{"stdout": "year\\n2023    0.041\\n2024    0.027\\n2025    0.033"}',),
            seconds=0.4,
        ),
    )
}
