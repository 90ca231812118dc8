"""Reference pages made from the tables of data, so that they cannot differ from the code."""

from collections.abc import Iterable, Mapping

from analytics.api.caching.routes import cached_routes
from analytics.api.caching.views import CachedView
from analytics.ingest.vocabularies.emitters import EMITTERS
from analytics.ingest.vocabularies.reference import names_by_member, resource_names
from analytics.queries.filters.grammar import FORMS, GRAMMAR, RULES
from analytics.queries.filters.terms import SHORT_NAMES
from analytics.registry.dimensions import ATTRIBUTE, DIMENSIONS
from analytics.registry.events import EVENT_TYPES
from analytics.registry.fields import ALIASES, KEYED, SPAN_FIELDS, SpanField
from analytics.registry.measures import FIGURES, MEASURES
from analytics.registry.operators import OPERATORS, Operator
from analytics.registry.redaction import CUSTOM, DETECTORS
from analytics.registry.rejections import REASONS
from errors.catalog import CATALOGUE
from errors.json import dumps
from observatory.accounts.roles import MATRIX, ROLES
from observatory.env_table import SETTINGS
from observatory.prometheus import meanings
from observatory.series import SERIES


def pages() -> Mapping[str, str]:
    """Return file name -> Markdown of every reference page."""
    return {
        "span-fields.md": _page(
            "Members of a span",
            "Names for `fields=`. Those marked are sent without it. Money is in US dollars, durations in milliseconds.",
            ("member", "type", "default", "meaning"),
            ((f"`{one.key}`", one.type, "yes" if one.default else "", one.description) for one in SPAN_FIELDS),
        )
        + "\n"
        + _table(("other name", "member"), ((f"`{name}`", f"`{key}`") for name, key in ALIASES.items())),
        "filters.md": _page(
            "Filters",
            "What `POST /api/v1/traces/search` and `q=` of the list compare. Operators are read in any case, with or"
            " without underscores. A comparison with a missing value is false; its denial is then true.",
            ("operator", "value", "kinds of members", "meaning"),
            ((f"`{one.key}`", one.operand, ", ".join(sorted(one.types)), one.description) for one in OPERATORS),
        )
        + "\n`search` is for `input_text`, `output_text` and `content`, which is both. Documents whose keys can be"
        f" compared: {', '.join(f'`{name}.<key>`' for name in KEYED)}.\n\n"
        + _table(
            ("member", "kind", "operators"),
            (
                (f"`{one.key}`", one.type, ", ".join(f"`{operator.key}`" for operator in _operators(one)))
                for one in SPAN_FIELDS
                if one.filterable
            ),
        )
        + _typed_filters(),
        "measures.md": _page(
            "Measures",
            "Names for `metrics` of `/api/v1/metrics` and `/api/v1/metrics/query`; the first aggregation is the"
            " default. A request is a model call no descendant of which is one.",
            ("measure", "unit", "aggregations", "meaning"),
            ((f"`{one.key}`", one.unit, ", ".join(one.of), one.description) for one in MEASURES),
        )
        + "\nFigures of replies, by the names that they have there:\n\n"
        + _table(
            ("figure", "measure", "aggregation", "unit"),
            ((f"`{key}`", f"`{one.measure.key}`", one.aggregation, one.unit) for key, one in FIGURES.items()),
        ),
        "dimensions.md": _page(
            "Dimensions",
            "What figures can be grouped and narrowed by; an unknown value gives zero rows. Those marked narrow every"
            " route of figures by a parameter of their name. What is kept tells how far back a question reaches:"
            " `rollup` from one hour up, `usage` in whole days, `spans` and `content` as long as these are kept.",
            ("dimension", "parameter", "kept", "meaning"),
            (
                (f"`{one.key}`", "yes" if one.equality else "", one.source, one.description)
                for one in (*DIMENSIONS, ATTRIBUTE)
            ),
        ),
        "events.md": _page(
            "Events",
            "What streams carry (`/ws`, `/api/v1/events`): `events` names types, and each needs its permission. Members"
            " marked ° may be null.",
            ("type", "permission", "told when", "members of `data`"),
            (
                (
                    f"`{one.key}`",
                    f"`{one.permission}`",
                    one.description,
                    ", ".join(f"`{name}`{'°' if name in one.optional else ''}" for name in one.members),
                )
                for one in EVENT_TYPES.values()
            ),
        ),
        "settings.md": _page(
            "Settings",
            "All from the environment; a wrong value stops the start with a sentence that names the variable.",
            ("variable", "default", "meaning"),
            ((f"`{one.name}`", _default(one.default, required=one.required), one.meaning) for one in SETTINGS),
        ),
        "series.md": _page(
            "Prometheus series",
            "What `GET /metrics` tells; a worker or live process on a machine of its own tells its share at its"
            " `--metrics-port`. No label holds a user, key, project, model or path; `endpoint` is a route's template.",
            ("series", "type", "labels", "meaning"),
            (
                (f"`{one.name}`", one.kind, ", ".join(f"`{label}`" for label in one.labels), meanings()[one.name])
                for one in SERIES
            ),
        ),
        "attribute-names.md": _page(
            "Attribute names",
            "Which names a member is read from, in the order in which they are tried; the first with a usable value"
            " wins and is noted in `mapping_sources`. `N` is an index, `*` any rest. Mapped names leave `attributes`,"
            " but those marked + stay as well; everything else stays as it was sent: names, keys of documents that no"
            " member is read from (under the document's name), attributes of message events (on the event) and fields"
            " of messages and tools (in the message, those of its parts in `part_fields`).",
            ("member", "names"),
            ((f"`{member}`", ", ".join(names)) for member, names in names_by_member().items()),
        )
        + "\nAttributes of the resource:\n\n"
        + _table(("member", "names"), ((f"`{member}`", ", ".join(names)) for member, names in resource_names().items()))
        + "\nEmitters whose totals leave out their parts:\n\n"
        + _table(
            ("instrumentation scope", "totals", "where", "why"),
            (
                (
                    f"`{one.scope}`",
                    ", ".join(sorted(one.leaves_out)),
                    ", ".join(f"`{name}`" for name in sorted(one.providers)),
                    one.why,
                )
                for one in EMITTERS
            ),
        ),
        "detectors.md": _page(
            "Detectors",
            "What redaction finds; those marked are on in new projects unless `REDACTION_DETECTORS` says otherwise.",
            ("detector", "placeholder", "default", "finds"),
            (
                (
                    f"`{one.name}`",
                    f"`[{one.name.upper() if one.name != CUSTOM else '<name>'}]`",
                    "yes" if one.default else "",
                    one.description,
                )
                for one in DETECTORS
            ),
        ),
        "rejected-spans.md": _page(
            "Reasons of rejected spans",
            "A span that meets one is set aside, counted in `partial_success` and listed at"
            " `GET /api/v1/ingest/rejected`; the others of its request are stored. Do not send it again as it is.",
            ("reason", "met when"),
            ((f"`{reason}`", meaning) for reason, meaning in REASONS.items()),
        ),
        "errors.md": _page(
            "Errors",
            "Every reply of 400 and above bears one of these codes; `/errors/<code>` of the service tells more.",
            ("code", "name", "status", "meaning", "cure"),
            (
                (str(code), f"`{one.error_code}`", str(one.status), one.meaning, one.remedy)
                for code, one in CATALOGUE.items()
            ),
        ),
        "caching.md": _page(
            "Caching",
            "How replies of each route are cached; CACHE_POLICY_OVERRIDES changes a row. With TTL 0 Redis keeps none.",
            ("route", "group", "Cache-Control", "TTL in seconds", "ETag", "Last-Modified"),
            (_cached(route, view) for route, view in cached_routes().items()),
        ),
        "permissions.md": _page(
            "Roles and permissions",
            "What a token of each role carries. The permissions of an API key stand on their own.",
            ("permission", *ROLES),
            ((f"`{name}`", *("yes" if role in roles else "" for role in ROLES)) for name, roles in MATRIX.items()),
        ),
    }


def _cached(route: str, view: type[CachedView]) -> tuple[str, ...]:
    group, policy = view.group(), view.policy()
    control = group.cache_control(policy, public=False)
    tag = ("weak" if group.weak else "strong, weak with gzip") if policy.etag else ""
    return f"`{route}`", group.key, f"`{control}`", str(policy.ttl), tag, "yes" if policy.last_modified else ""


def _typed_filters() -> str:
    short = ", ".join(f"`{name}` for `{key}`" for name, key in SHORT_NAMES.items())
    forms = _table(("typed", "in JSON"), ((f"`{line}`", f"`{dumps(form).decode()}`") for line, form in FORMS.items()))
    return (
        f"\n## As a line: `q=`\n\n```text\n{GRAMMAR}```\n\n{RULES}* Short names: {short}.\n\n{forms}\n"
        "A line that cannot be read is answered 400/1213 with the character at which the mistake is, counted from 1,"
        " what stands there, and what is allowed there; an unknown name with the one that is most like it.\n"
    )


def _operators(member: SpanField) -> Iterable[Operator]:
    return (one for one in OPERATORS if member.type in one.types and (one.key != "search" or member.weights))


def _page(title: str, lead: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    note = "<!-- made by `python manage.py export_reference` -->"
    return f"# {title}\n\n{note}\n\n{lead}\n\n{_table(head, rows)}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _default(value: object, *, required: bool) -> str:
    if required:
        return "required"
    if value in (None, "", (), {}):
        return ""
    if isinstance(value, tuple):
        return f"`{', '.join(map(str, value))}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
