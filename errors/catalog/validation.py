"""What is wrong with a request: 1200-1299."""

from dataclasses import replace

from errors.specs import Category, ErrorSpec

INVALID_REQUEST = ErrorSpec(
    code=1200,
    error_code="INVALID_REQUEST",
    title="Invalid request",
    category=Category.VALIDATION,
    status=400,
    message="The request is not valid: correct it and send it again",
    meaning="The request cannot be understood, or a number is outside its range.",
    cause="Malformed JSON, a body that is not an object, a number outside its range, a malformed header.",
    remedy="Correct what the message names and send the request again.",
)
NUMBER_OUT_OF_RANGE = INVALID_REQUEST.saying("Invalid value for field '{field}': must be between {low} and {high}")
NUMBER_TOO_SMALL = INVALID_REQUEST.saying("Invalid value for field '{field}': must be at least {low}")
RANGE_NOT_SATISFIABLE = replace(
    INVALID_REQUEST.saying("The range begins behind the end of the file, which has {size} bytes"), status=416
)
MALFORMED_JSON = INVALID_REQUEST.saying("The body is not valid JSON: send one JSON object in UTF-8")
JSON_NOT_AN_OBJECT = INVALID_REQUEST.saying("The body is JSON but not an object: send one JSON object")
BODY_UNREADABLE = INVALID_REQUEST.saying("The body ended before all of it had arrived: send it again")
OFFSET_UNSUPPORTED = INVALID_REQUEST.saying("This list has no 'offset': follow its pages with 'cursor'")
BODY_INVALID = INVALID_REQUEST.saying("The body is not valid: see the details")
MISSING_REQUIRED_FIELD = ErrorSpec(
    code=1201,
    error_code="MISSING_REQUIRED_FIELD",
    title="Missing required field",
    category=Category.VALIDATION,
    status=400,
    message="Field '{field}' is required",
    meaning="A value that the request cannot do without is absent.",
    cause="The member or parameter was left out.",
    remedy="Send the field named.",
)
INVALID_FIELD_VALUE = ErrorSpec(
    code=1202,
    error_code="INVALID_FIELD_VALUE",
    title="Invalid field value",
    category=Category.VALIDATION,
    status=400,
    message="Invalid value for field '{field}': send one of the allowed values",
    meaning="A name or value is none of those that are allowed here.",
    cause="An unknown parameter or member, a value outside the list, a parameter given twice, a reference to nothing.",
    remedy="Use one of the names that the details list.",
)
UNKNOWN_PARAMETER = INVALID_FIELD_VALUE.saying("Unknown parameter '{field}': use one of the allowed names")
UNKNOWN_MEMBER = INVALID_FIELD_VALUE.saying("Unknown member '{field}': use one of the allowed names")
REPEATED_PARAMETER = INVALID_FIELD_VALUE.saying("Parameter '{field}' is given more than once: send it once")
SYNONYMS_GIVEN = INVALID_FIELD_VALUE.saying("'{field}' and '{other}' mean the same: send one of them")
UNKNOWN_REFERENCE = INVALID_FIELD_VALUE.saying(
    "The request refers to something that does not exist: check the identifiers in it"
)
FIELD_VALUE_REFUSED = INVALID_FIELD_VALUE.saying("Invalid value for field '{field}': see the details")
INVALID_FIELD_FORMAT = ErrorSpec(
    code=1203,
    error_code="INVALID_FIELD_FORMAT",
    title="Invalid field format",
    category=Category.VALIDATION,
    status=400,
    message="Invalid format for field '{field}': expected {expected}",
    meaning="A value cannot be read as the kind of value that belongs there.",
    cause="An empty value, or one that is no number, date, UUID or boolean where one is expected.",
    remedy="Write the value in the form that the message names.",
)
FIELD_FORMAT_REFUSED = INVALID_FIELD_FORMAT.saying("Invalid format for field '{field}': see the details")
INVALID_DATE_RANGE = ErrorSpec(
    code=1204,
    error_code="INVALID_DATE_RANGE",
    title="Invalid date range",
    category=Category.VALIDATION,
    status=400,
    message="Invalid time range: the start must be before the end",
    meaning="The time range asked for cannot be answered.",
    cause="The start is not before the end, the range is too long, or it lies before what is kept.",
    remedy="Send a start before the end, within the longest range of the route.",
)
RANGE_TOO_LONG = INVALID_DATE_RANGE.saying("Invalid time range: at most {days} days at a time")
RANGE_NOT_KEPT = INVALID_DATE_RANGE.saying(
    "Invalid time range: what answers this is kept since {earliest}, start no earlier"
)
TOO_LITTLE_HISTORY = INVALID_DATE_RANGE.saying(
    "Invalid time range: a forecast needs a history in which at least {days} full UTC days have costs"
)
RANGE_TOO_SHORT = INVALID_DATE_RANGE.saying("Invalid time range: at least {days} days at a time")
LIMIT_EXCEEDED = ErrorSpec(
    code=1205,
    error_code="LIMIT_EXCEEDED",
    title="Limit exceeded",
    category=Category.VALIDATION,
    status=400,
    message="Field '{field}' must have between {low} and {high} items",
    meaning="There are more or fewer items than are allowed.",
    cause="A list or a text is longer, or a list shorter, than its bounds.",
    remedy="Send a number of items within the bounds, in several requests if need be.",
)
TEXT_TOO_LONG = LIMIT_EXCEEDED.saying("Field '{field}' is too long: at most {high} characters")
FIELD_SIZE_REFUSED = LIMIT_EXCEEDED.saying("Field '{field}' has too many or too few items: see the details")
TOO_MANY_ROWS = LIMIT_EXCEEDED.saying(
    "The selection has more than {most} spans, the most of one export: narrow it, or set limit"
)
FILTER_TOO_DEEP = LIMIT_EXCEEDED.saying("The filter is nested too deep at '{field}': at most {high} levels")
PROJECT_REQUIRED = ErrorSpec(
    code=1206,
    error_code="PROJECT_REQUIRED",
    title="Project required",
    category=Category.VALIDATION,
    status=400,
    message="This credential reaches several projects: name one in the X-Project-ID header",
    meaning="It is not decided which project the request is about.",
    cause="The credential reaches several projects and none was named, or it reaches none.",
    remedy="Send X-Project-ID, or use a credential of exactly one project.",
)
NO_PROJECT_IN_REACH = PROJECT_REQUIRED.saying("This credential reaches no project: ask an administrator to add one")
INVALID_CURSOR = ErrorSpec(
    code=1207,
    error_code="INVALID_CURSOR",
    title="Invalid cursor",
    category=Category.VALIDATION,
    status=400,
    message="The cursor does not belong to this query: start again from the first page",
    meaning="The cursor cannot continue this list.",
    cause="It is damaged, or was made for another filter, order or scope.",
    remedy="Ask for the first page, and change only limit, fields and include between pages.",
)
CURSOR_EXPIRED = INVALID_CURSOR.saying("The cursor has expired: start again from the first page")
UNSUPPORTED_MEDIA_TYPE = ErrorSpec(
    code=1208,
    error_code="UNSUPPORTED_MEDIA_TYPE",
    title="Unsupported media type",
    category=Category.VALIDATION,
    status=415,
    message="This content type is not supported: send the body as {expected}",
    meaning="The body is in a form that the route does not read.",
    cause="Content-Type names another format, or Content-Encoding a coding that the route does not unpack.",
    remedy="Send the body in a supported format; compress only what goes to the OTLP routes, with gzip.",
)
UNSUPPORTED_CONTENT_ENCODING = UNSUPPORTED_MEDIA_TYPE.saying(
    "This content encoding is not supported: send the body {expected}"
)
PAYLOAD_TOO_LARGE = ErrorSpec(
    code=1209,
    error_code="PAYLOAD_TOO_LARGE",
    title="Payload too large",
    category=Category.VALIDATION,
    status=413,
    message="The body is too large: send at most {limit} bytes at a time",
    meaning="The body is larger than the route takes.",
    cause="More bytes than the limit, counted on the wire and again after unpacking; for OTLP also more spans, or more"
    " to write down, than one request may hold.",
    remedy="Send less at a time; for OTLP make the exporter's batches smaller.",
)
TOO_MANY_ITEMS = PAYLOAD_TOO_LARGE.saying(
    "The request holds more than {limit} spans, or other parts: send smaller batches"
)
PART_TOO_LARGE = PAYLOAD_TOO_LARGE.saying("A part of the request is too large: send at most {limit} bytes in a {part}")
TOO_MUCH_TO_WRITE = PAYLOAD_TOO_LARGE.saying(
    "The spans take more than {limit} bytes when each is written down with its resource: send smaller batches"
)
NOT_ACCEPTABLE = ErrorSpec(
    code=1210,
    error_code="NOT_ACCEPTABLE",
    title="Not acceptable",
    category=Category.VALIDATION,
    status=406,
    message="The Accept header excludes every form on offer: accept {offered}",
    meaning="There is no form of the answer that the client accepts.",
    cause="Accept names none of the forms that the route offers, or gives them the weight 0.",
    remedy="Accept one of the forms that the message names.",
)
UNPROCESSABLE_CONTENT = ErrorSpec(
    code=1211,
    error_code="UNPROCESSABLE_CONTENT",
    title="Unprocessable content",
    category=Category.VALIDATION,
    status=422,
    message="The members of the body do not go together: see the details",
    meaning="Each member is well formed, but together they break a rule.",
    cause="For example neither of two members of which one is needed.",
    remedy="Change the members as the details say.",
)
IDEMPOTENCY_KEY_REUSED = ErrorSpec(
    code=1212,
    error_code="IDEMPOTENCY_KEY_REUSED",
    title="Idempotency key reused",
    category=Category.VALIDATION,
    status=422,
    message="This Idempotency-Key was sent before with another body: use a new one",
    meaning="An Idempotency-Key stands for one request and its repetitions.",
    cause="A client uses one key for two different requests.",
    remedy="Make a new key for every new request, and keep it for repetitions alone.",
)
INVALID_FILTER = ErrorSpec(
    code=1213,
    error_code="INVALID_FILTER",
    title="Invalid filter",
    category=Category.VALIDATION,
    status=400,
    message="The filter is not valid at '{field}': see what is allowed there",
    meaning="A filter expression, or a line of the textual filter language, cannot be understood.",
    cause="An unknown member or operator, a value of the wrong kind, a regular expression that does not compile.",
    remedy="Correct what the message points at; the details list what is allowed in its place.",
)
INVALID_READ_POSITION = ErrorSpec(
    code=1214,
    error_code="INVALID_READ_POSITION",
    title="Invalid read position",
    category=Category.VALIDATION,
    status=400,
    message="The value of '{field}' is no position of this store: send an X-Ingest-Position as it was received",
    meaning="The position was not given out by this service, was changed, or lies ahead of everything stored.",
    cause="A value of another deployment, one cut or made up, or a store that was put back to an older state.",
    remedy="Send the X-Ingest-Position of the newest accepted export, or leave the header out.",
)
OTLP_MALFORMED = ErrorSpec(
    code=1215,
    error_code="OTLP_MALFORMED",
    title="Malformed OTLP body",
    category=Category.VALIDATION,
    status=400,
    message="The body is not a valid OTLP request: send an {expected} in the format of its content type",
    meaning="The body does not decode as OTLP; nothing of it was stored.",
    cause="Damaged bytes, a body in another format than Content-Type says, or JSON with names where numbers belong.",
    remedy="Check the exporter's protocol setting; sending the same bytes again does not help.",
)
OTLP_SPANS_REJECTED = ErrorSpec(
    code=1216,
    error_code="OTLP_SPANS_REJECTED",
    title="OTLP spans rejected",
    category=Category.VALIDATION,
    status=200,
    message="{reasons}",
    meaning="Some spans of an otherwise good request were set aside; the others are stored.",
    cause="Spans without valid ids or times, too old, in the future, or too large.",
    remedy="Do not send the request again. Correct what makes such spans.",
)
