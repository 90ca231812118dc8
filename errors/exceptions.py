"""The one exception that becomes an error reply."""

from collections.abc import Mapping, Sequence

from errors.specs import ErrorSpec


class ApiError(Exception):
    """An error of the catalogue with its sentence filled in.

    `params` must be exactly what the sentence needs, else `TypeError`; `field` fills `{field}` and names the
    offending parameter or member in the body, `details` adds what was received or is allowed, `headers` go with the
    reply, `violated_policies` names the limits that refused.
    """

    def __init__(
        self,
        spec: ErrorSpec,
        details: str = "",
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        violated_policies: Sequence[str] = (),
        **params: object,
    ) -> None:
        given = {"field": field, **params} if field is not None and "field" in spec.parameters else params
        if given.keys() != spec.parameters:
            raise TypeError(f"{spec.error_code}: the sentence needs {sorted(spec.parameters)}, got {sorted(given)}")
        self.spec = spec
        self.message = spec.message.format(**given)
        self.details = details
        self.field = field or ""
        self.headers = {**dict(spec.headers), **(headers or {})}
        self.violated_policies = tuple(violated_policies)
        super().__init__(f"{spec.code} {spec.error_code}: {self.message}")
