"""What the service cannot do just now: limits, database, time, faults of its own: 1500-1999."""

from errors.specs import Category, ErrorSpec

RETRY_NEXT_SECOND = (("Retry-After", "1"),)
RETRY_SOON = (("Retry-After", "5"),)
PROBLEM_TYPES = "https://iana.org/assignments/http-problem-types#"

RATE_LIMIT_EXCEEDED = ErrorSpec(
    code=1500,
    error_code="RATE_LIMIT_EXCEEDED",
    title="Rate limit exceeded",
    category=Category.RATE_LIMIT,
    status=429,
    headers=RETRY_NEXT_SECOND,
    problem_type=PROBLEM_TYPES + "quota-exceeded",
    message="Too many requests: wait the seconds in the Retry-After header",
    meaning="A token bucket that pays for the request is empty.",
    cause="More requests than the tier or the route allows, or many failed sign-ins from one address.",
    remedy="Wait as long as Retry-After says; the RateLimit headers show what is left.",
    retryable=True,
)
QUOTA_EXCEEDED = ErrorSpec(
    code=1501,
    error_code="QUOTA_EXCEEDED",
    title="Quota exceeded",
    category=Category.RATE_LIMIT,
    status=429,
    headers=RETRY_SOON,
    problem_type=PROBLEM_TYPES + "quota-exceeded",
    message="At most {most} {what} at once: wait until one of them ends, or end one",
    meaning="As much of something is under way as may be at once.",
    cause="Streams that were left open, or more unfinished exports than EXPORT_MAX_OPEN_JOBS.",
    remedy="Wait until one of them ends, or end one, and send the request again.",
    retryable=True,
)
TOO_MANY_REQUESTS = ErrorSpec(
    code=1502,
    error_code="TOO_MANY_REQUESTS",
    title="Too many sign-in attempts",
    category=Category.RATE_LIMIT,
    status=429,
    headers=RETRY_NEXT_SECOND,
    message="Too many sign-in attempts from your address: wait the seconds in the Retry-After header",
    meaning="One address signs in more often than is allowed.",
    cause="Sign-in attempts are counted per address, whether they succeed or not.",
    remedy="Wait as long as Retry-After says, and use an access token until it expires.",
    retryable=True,
)

DATABASE_ERROR = ErrorSpec(
    code=1600,
    error_code="DATABASE_ERROR",
    title="Database error",
    category=Category.DATABASE,
    status=503,
    headers=RETRY_SOON,
    message="The request could not be answered just now: try again after the seconds in the Retry-After header",
    meaning="The database refused a statement of ours.",
    cause="A fault of the service or its database, not of the request.",
    remedy="Try again; when it lasts, give the operator the request id.",
    retryable=True,
)
DATABASE_CONNECTION_FAILED = ErrorSpec(
    code=1601,
    error_code="DATABASE_CONNECTION_FAILED",
    title="Database unreachable",
    category=Category.DATABASE,
    status=503,
    headers=RETRY_SOON,
    message="The database cannot be reached just now: try again after the seconds in the Retry-After header",
    meaning="The service has no connection to its database.",
    cause="The database is starting, stopping, full or cut off.",
    remedy="Try again; the service reconnects by itself.",
    retryable=True,
)
QUERY_TIMEOUT = ErrorSpec(
    code=1602,
    error_code="QUERY_TIMEOUT",
    title="No database connection free",
    category=Category.DATABASE,
    status=503,
    headers=RETRY_NEXT_SECOND,
    message="The service is busy: try again after the seconds in the Retry-After header",
    meaning="Every connection to the database stayed in use.",
    cause="More requests at once than the service has connections.",
    remedy="Try again, with fewer requests at once.",
    retryable=True,
)
DATABASE_CONSTRAINT_VIOLATION = ErrorSpec(
    code=1603,
    error_code="DATABASE_CONSTRAINT_VIOLATION",
    title="Constraint violation",
    category=Category.DATABASE,
    status=409,
    message="A value in the request cannot be stored: check values that are empty, very long or out of range",
    meaning="The database refused a value that validation had let pass.",
    cause="A value is missing, too long or outside the range of its column.",
    remedy="Check the values sent; give the operator the request id if they are in order.",
)

EXTERNAL_SERVICE_ERROR = ErrorSpec(
    code=1700,
    error_code="EXTERNAL_SERVICE_ERROR",
    title="External service error",
    category=Category.EXTERNAL,
    status=502,
    message="The token issuer's keys cannot be read just now: try again",
    meaning="A service that this one depends on does not answer.",
    cause="The address in JWT_JWKS_URL is unreachable or answers with something else.",
    remedy="Try again; when it lasts, give the operator the request id.",
    retryable=True,
)
REDIS_ERROR = ErrorSpec(
    code=1701,
    error_code="REDIS_ERROR",
    title="Redis unavailable",
    category=Category.EXTERNAL,
    status=503,
    headers=RETRY_NEXT_SECOND,
    message="The request needs a store that does not answer just now: try again after the seconds in Retry-After",
    meaning="Redis is away, and this request cannot be answered without it.",
    cause="Streams come from Redis, and signed requests need it to see that none is sent twice.",
    remedy="Try again; the service reconnects by itself.",
    retryable=True,
)
STORAGE_ERROR = ErrorSpec(
    code=1702,
    error_code="STORAGE_ERROR",
    title="File store unavailable",
    category=Category.EXTERNAL,
    status=503,
    headers=RETRY_SOON,
    message="The store of exported files does not answer just now: try again after the seconds in Retry-After",
    meaning="The folder or bucket of exported files cannot be read or written.",
    cause="The disk is full or not there, the bucket is unreachable, or the service may not use it.",
    remedy="Try again; when it lasts, the operator looks at the place that EXPORT_DIR or EXPORT_S3_BUCKET names.",
    retryable=True,
)
READ_POSITION_NOT_REACHED = ErrorSpec(
    code=1604,
    error_code="READ_POSITION_NOT_REACHED",
    title="Read position not reached",
    category=Category.DATABASE,
    status=503,
    headers=RETRY_NEXT_SECOND,
    message="The spans of X-Read-After cannot be read yet: try again after the seconds in the Retry-After header",
    meaning="Reads come from a copy of the database that has not received the spans of the position yet.",
    cause="The copy is behind: it is busy, starting, or cut off from the primary.",
    remedy="Try again; without X-Read-After the answer comes at once and may lack the newest spans.",
    retryable=True,
)
INGEST_OVERLOADED = ErrorSpec(
    code=1605,
    error_code="INGEST_OVERLOADED",
    title="Ingest overloaded",
    category=Category.DATABASE,
    status=503,
    headers=RETRY_NEXT_SECOND,
    message="Too many export requests at once: send again after the seconds in the Retry-After header",
    meaning="The process takes no further export request until one of those under way is stored; nothing was stored.",
    cause="Spans arrive faster than the database takes them.",
    remedy="Exporters send again by themselves; larger batches cost less. When it lasts, look at the database first.",
    retryable=True,
)

REQUEST_TIMEOUT = ErrorSpec(
    code=1800,
    error_code="REQUEST_TIMEOUT",
    title="Request timeout",
    category=Category.TIMEOUT,
    status=504,
    message="The request was not answered in time: ask for less, or try again later",
    meaning="The whole request took longer than a request may take.",
    cause="The service is under load, or the request takes several long steps.",
    remedy="Ask for a shorter range or a coarser grain, or try again later.",
    retryable=True,
)
OPERATION_TIMEOUT = ErrorSpec(
    code=1801,
    error_code="OPERATION_TIMEOUT",
    title="Operation timeout",
    category=Category.TIMEOUT,
    status=504,
    message="The request took too long: ask for a shorter time range or fewer groups",
    meaning="One statement ran out of its time.",
    cause="The request covers very much data, or the database is under load.",
    remedy="Ask for a shorter range, a coarser grain or fewer groups, or try again later.",
    retryable=True,
)

INTERNAL_SERVER_ERROR = ErrorSpec(
    code=1900,
    error_code="INTERNAL_SERVER_ERROR",
    title="Internal server error",
    category=Category.INTERNAL,
    status=500,
    message="Something went wrong on our side: give the operator the request id",
    meaning="The service met something that nobody had foreseen.",
    cause="A fault of the service.",
    remedy="Give the operator the request id; its log line has the cause.",
)
NOT_IMPLEMENTED = ErrorSpec(
    code=1901,
    error_code="NOT_IMPLEMENTED",
    title="Not implemented here",
    category=Category.INTERNAL,
    status=501,
    message="This deployment does not offer it: {reason}",
    meaning="The service knows the request, but this deployment of it cannot answer.",
    cause="A setting or the storage engine leaves the feature out.",
    remedy="Ask the operator; docs/reference/settings.md names the setting.",
)
SERVICE_UNAVAILABLE = ErrorSpec(
    code=1902,
    error_code="SERVICE_UNAVAILABLE",
    title="Service unavailable",
    category=Category.INTERNAL,
    status=503,
    headers=RETRY_SOON,
    problem_type=PROBLEM_TYPES + "temporary-reduced-capacity",
    message="The service is not available just now: try again after the seconds in the Retry-After header",
    meaning="The service takes no requests for a while.",
    cause="It is stopping, starting or under maintenance, or most of its threads wait for bodies that come slowly.",
    remedy="Try again after the time that Retry-After says.",
    retryable=True,
)
