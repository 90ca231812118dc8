"""What is not there, and what is in the way: 1300-1499."""

from errors.specs import Category, ErrorSpec

RESOURCE_NOT_FOUND = ErrorSpec(
    code=1300,
    error_code="RESOURCE_NOT_FOUND",
    title="Resource not found",
    category=Category.NOT_FOUND,
    status=404,
    message="There is nothing at this path: check its spelling; paths have no slash at the end",
    meaning="What the path names does not exist, or is not visible to the caller.",
    cause="A path that is not served, one with a slash at the end, or an identifier that is unknown.",
    remedy="Check the path against the API reference at /api/v1/docs.",
)
UNKNOWN_ERROR_CODE = RESOURCE_NOT_FOUND.saying("There is no error {code}: /errors lists those that exist")
TRACE_NOT_FOUND = ErrorSpec(
    code=1301,
    error_code="TRACE_NOT_FOUND",
    title="Trace not found",
    category=Category.NOT_FOUND,
    status=404,
    message="Trace '{trace_id}' was not found: check the id and that the credential reaches its project",
    meaning="There is no such trace, or it is not visible to the caller.",
    cause="The id is wrong, the trace has not arrived yet or is past its retention, or its project is out of reach.",
    remedy="Check the id, and use a credential that reaches the project.",
)
UNKNOWN_LABEL = RESOURCE_NOT_FOUND.saying("There is no label {label}: /api/v1/metrics/labels lists those that exist")
NOT_FOUND_HERE = RESOURCE_NOT_FOUND.saying("There is no {what} of this id in reach: check it")
METHOD_NOT_ALLOWED = ErrorSpec(
    code=1305,
    error_code="METHOD_NOT_ALLOWED",
    title="Method not allowed",
    category=Category.NOT_FOUND,
    status=405,
    message="This path does not serve the method: use one of those in the Allow header",
    meaning="The path exists but does not take this method.",
    cause="For example POST to a path that is only read.",
    remedy="Use a method that the Allow header lists.",
)
SESSION_NOT_FOUND = ErrorSpec(
    code=1306,
    error_code="SESSION_NOT_FOUND",
    title="Session not found",
    category=Category.NOT_FOUND,
    status=404,
    message="Session '{session_id}' was not found: check the id, the range and that the credential reaches its project",
    meaning="There is no such session in the range, or it is not visible to the caller.",
    cause="The id is wrong, the session lies outside the range, or its project is out of reach.",
    remedy="Check the id, ask for a longer range, and use a credential that reaches the project.",
)

RESOURCE_ALREADY_EXISTS = ErrorSpec(
    code=1400,
    error_code="RESOURCE_ALREADY_EXISTS",
    title="Resource already exists",
    category=Category.CONFLICT,
    status=409,
    message="The value of '{field}' is taken: choose another",
    meaning="A name that must be unique is in use.",
    cause="A slug or a membership like it exists already.",
    remedy="Choose another value, or change what exists.",
)
DUPLICATE_KEY = ErrorSpec(
    code=1401,
    error_code="DUPLICATE_KEY",
    title="Duplicate key",
    category=Category.CONFLICT,
    status=409,
    message="Something equal exists already: read it before writing it again",
    meaning="A value that must be unique is in use.",
    cause="Usually two requests that made the same thing at the same time.",
    remedy="Read what exists, then decide whether to write again.",
)
CONCURRENCY_CONFLICT = ErrorSpec(
    code=1402,
    error_code="CONCURRENCY_CONFLICT",
    title="Concurrency conflict",
    category=Category.CONFLICT,
    status=409,
    message="Another request is changing the same thing: read it again and repeat the change",
    meaning="The change does not fit the present state.",
    cause="Another request changed the same thing meanwhile, or its state does not allow the change.",
    remedy="Read the present state and repeat the change if it still makes sense.",
    retryable=True,
)
STATE_FORBIDS = CONCURRENCY_CONFLICT.saying("The present state does not allow the change: {reason}")
PRECONDITION_FAILED = ErrorSpec(
    code=1404,
    error_code="PRECONDITION_FAILED",
    title="Precondition failed",
    category=Category.CONFLICT,
    status=412,
    message="If-Match names another version than the present one: read it again and repeat the change",
    meaning="What is to be changed is no longer what the client has seen.",
    cause="Somebody else changed it after the ETag was read.",
    remedy="Read it again, and send the change with the new ETag if it still makes sense.",
)
IDEMPOTENCY_IN_PROGRESS = ErrorSpec(
    code=1405,
    error_code="IDEMPOTENCY_IN_PROGRESS",
    title="Idempotent request in progress",
    category=Category.CONFLICT,
    status=409,
    message="The first request with this Idempotency-Key is still running: repeat this one in a moment",
    meaning="Two requests with one Idempotency-Key are on their way at once.",
    cause="The request was repeated before the first one was answered.",
    remedy="Wait a moment and repeat the request; it gets the first one's reply.",
    retryable=True,
)
