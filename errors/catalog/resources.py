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
NOT_FOUND_HERE = RESOURCE_NOT_FOUND.saying("There is no {what} of this id in reach: check it")
UNKNOWN_LABEL = RESOURCE_NOT_FOUND.saying("There is no label {label}: /api/v1/metrics/labels lists those that exist")
JOB_NOT_FOUND = ErrorSpec(
    code=1302,
    error_code="JOB_NOT_FOUND",
    title="Job not found",
    category=Category.NOT_FOUND,
    status=404,
    message="Export '{job_id}' was not found: check the id and that the credential reaches all of its projects",
    meaning="There is no such export, or it is not visible to the caller.",
    cause="The id is wrong, the export is long over, or one of its projects is out of reach.",
    remedy="Check the id; GET /api/v1/export/jobs lists the exports that there are.",
)
EXPORT_NOT_FOUND = ErrorSpec(
    code=1303,
    error_code="EXPORT_NOT_FOUND",
    title="Exported file not found",
    category=Category.NOT_FOUND,
    status=404,
    message="The file of export '{job_id}' is gone although it has not expired: create the export again",
    meaning="The export was completed, but its file is not where it was put.",
    cause="Somebody deleted the file, or this process looks at another folder or bucket than the one that wrote it.",
    remedy="Create the export again; tell the operator, who finds the place in EXPORT_DIR or EXPORT_S3_BUCKET.",
)
EXPORT_EXPIRED = ErrorSpec(
    code=1304,
    error_code="EXPORT_EXPIRED",
    title="Export expired",
    category=Category.NOT_FOUND,
    status=410,
    message="The file of export '{job_id}' has expired: create the export again",
    meaning="The export was completed, and its file is kept no longer.",
    cause="Files are kept for EXPORT_TTL_DAYS after the export was completed.",
    remedy="Create the export again.",
)
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
BUDGET_NOT_FOUND = ErrorSpec(
    code=1307,
    error_code="BUDGET_NOT_FOUND",
    title="Budget not found",
    category=Category.NOT_FOUND,
    status=404,
    message="Budget '{budget_id}' was not found: check the id and that the credential reaches its projects",
    meaning="There is no such budget, or it is not visible to the caller.",
    cause="The id is wrong, the budget was deleted, its project is out of reach, or it is one of the whole organisation"
    " and the credential reaches a part of that.",
    remedy="Check the id; GET /api/v1/costs/budgets lists the budgets that there are.",
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
EXPORT_NOT_READY = ErrorSpec(
    code=1403,
    error_code="EXPORT_NOT_READY",
    title="Export not ready",
    category=Category.CONFLICT,
    status=409,
    message="There is no file of export '{job_id}' to download: its status is {status}",
    meaning="Only a completed export has a file.",
    cause="The export is waiting or being written, or it failed or was cancelled.",
    remedy="Ask /api/v1/export/jobs/{id} until the status is completed; create a failed or cancelled export again.",
    retryable=True,
)
JOB_NOT_CANCELLABLE = ErrorSpec(
    code=1406,
    error_code="JOB_NOT_CANCELLABLE",
    title="Job not cancellable",
    category=Category.CONFLICT,
    status=409,
    message="Export '{job_id}' cannot be cancelled: its status is {status}",
    meaning="Only an export that is waiting or being written can be cancelled.",
    cause="It was completed, failed, cancelled or has expired before.",
    remedy="Leave it: its file goes by itself once it expires.",
)
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
