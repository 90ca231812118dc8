"""Who is calling, and what they may do: 1000-1199."""

from errors.specs import Category, ErrorSpec

CHALLENGE = (("WWW-Authenticate", 'Bearer realm="llm-observatory"'),)
TOKEN_CHALLENGE = (("WWW-Authenticate", 'Bearer realm="llm-observatory", error="invalid_token"'),)

MISSING_AUTHORIZATION = ErrorSpec(
    code=1000,
    error_code="MISSING_AUTHORIZATION",
    title="Missing authorization",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="This request needs a credential: send 'Authorization: Bearer' with a token or key, or 'X-API-Key'",
    meaning="The request carried no credential where one is needed.",
    cause="Neither Authorization nor X-API-Key was sent, and nothing the request asks for is public.",
    remedy="Send an access token from POST /auth/token, or an API key.",
)
INVALID_TOKEN = ErrorSpec(
    code=1001,
    error_code="INVALID_TOKEN",
    title="Invalid token",
    category=Category.AUTHENTICATION,
    status=401,
    headers=TOKEN_CHALLENGE,
    message="The access token is not valid: get a new one from POST /auth/token",
    meaning="The access token cannot be trusted.",
    cause="The header is malformed, the signature is wrong, a claim is missing, or issuer or audience are not ours.",
    remedy="Get a new token from POST /auth/token and send it unchanged after 'Bearer'.",
)
MALFORMED_AUTHORIZATION = INVALID_TOKEN.saying(
    "The Authorization header is malformed: send 'Bearer', a space and a token or key"
)
INVALID_TICKET = INVALID_TOKEN.saying(
    "The ticket is not valid: each is good once and for seconds; get a new one from POST /api/v1/events/ticket"
)
EXPIRED_TOKEN = ErrorSpec(
    code=1002,
    error_code="EXPIRED_TOKEN",
    title="Expired token",
    category=Category.AUTHENTICATION,
    status=401,
    headers=TOKEN_CHALLENGE,
    message="The access token has expired: get a new one from POST /auth/token",
    meaning="The access token was good once; its time has passed.",
    cause="The time in the token's exp claim is over.",
    remedy="Get a new token from POST /auth/token.",
)
INVALID_API_KEY = ErrorSpec(
    code=1003,
    error_code="INVALID_API_KEY",
    title="Invalid API key",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="The API key is not valid: send one that is known, not expired and not revoked",
    meaning="The API key opens nothing.",
    cause="The key is unknown, expired or revoked, or two headers name different credentials.",
    remedy="Check that the whole key was copied, or ask an administrator for a new one.",
)
CREDENTIALS_DIFFER = INVALID_API_KEY.saying("Authorization and X-API-Key name different credentials: send one of them")
REVOKED_TOKEN = ErrorSpec(
    code=1004,
    error_code="REVOKED_TOKEN",
    title="Revoked token",
    category=Category.AUTHENTICATION,
    status=401,
    headers=TOKEN_CHALLENGE,
    message="The access token was revoked: get a new one from POST /auth/token",
    meaning="The access token was taken back before its time.",
    cause="It was revoked itself, or the user or key that it was made from was.",
    remedy="Sign in again; when that fails too, ask an administrator.",
)
SIGNATURE_INVALID = ErrorSpec(
    code=1005,
    error_code="SIGNATURE_INVALID",
    title="Invalid signature",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="The request's signature is not valid: sign exactly what is sent, with the key's signing secret",
    meaning="The signature does not fit the request.",
    cause="A signature header is malformed, another secret was used, or path, query or body changed after signing.",
    remedy="Compare the signed text with the one in the guide, line by line.",
)
SIGNATURE_REQUIRED = ErrorSpec(
    code=1006,
    error_code="SIGNATURE_REQUIRED",
    title="Signature required",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="This key must sign its requests: send X-Signature, X-Signature-Timestamp and X-Signature-Nonce",
    meaning="The key was made with signing and the request is not signed.",
    cause="One of the three signature headers is missing.",
    remedy="Sign the request with the key's signing secret, or use a key without signing.",
)
SIGNATURE_EXPIRED = ErrorSpec(
    code=1007,
    error_code="SIGNATURE_EXPIRED",
    title="Expired signature",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="The signature's timestamp is more than {seconds} seconds off: sign again with the present time",
    meaning="The signature was made too long ago, or in the future.",
    cause="The request was delayed or stored, or the client's clock is wrong.",
    remedy="Sign each request just before it is sent; set the clock by NTP.",
)
SIGNATURE_REPLAYED = ErrorSpec(
    code=1008,
    error_code="SIGNATURE_REPLAYED",
    title="Replayed signature",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="The signature's nonce was used before: sign again with a new one",
    meaning="A request with this nonce has been answered already.",
    cause="The same signed request was sent twice.",
    remedy="Make a new nonce for every request, repeated ones included.",
)
INVALID_CREDENTIALS = ErrorSpec(
    code=1009,
    error_code="INVALID_CREDENTIALS",
    title="Invalid credentials",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="These credentials are not valid: check them and try again",
    meaning="Signing in failed.",
    cause="The client, the user, the secret or the password is wrong; which of them is not said.",
    remedy="Check both parts of the credentials.",
)
INVALID_REFRESH_TOKEN = ErrorSpec(
    code=1010,
    error_code="INVALID_REFRESH_TOKEN",
    title="Invalid refresh token",
    category=Category.AUTHENTICATION,
    status=401,
    headers=CHALLENGE,
    message="The refresh token is not valid: sign in again with POST /auth/token",
    meaning="The refresh token gives no new access token.",
    cause="It is unknown, expired or used before. Using one twice ends every token of its family.",
    remedy="Sign in again, and keep only the newest refresh token.",
)

INSUFFICIENT_PERMISSIONS = ErrorSpec(
    code=1100,
    error_code="INSUFFICIENT_PERMISSIONS",
    title="Insufficient permissions",
    category=Category.AUTHORIZATION,
    status=403,
    message="Insufficient permissions to {action}",
    meaning="The credential is good but does not allow this.",
    cause="Neither the role nor the key's or token's list of permissions holds the one that is needed.",
    remedy="Ask an administrator for the permission, or use another credential.",
)
FORBIDDEN = INSUFFICIENT_PERMISSIONS.saying("This credential does not allow the request: use one that does")
PROJECT_ACCESS_DENIED = ErrorSpec(
    code=1101,
    error_code="PROJECT_ACCESS_DENIED",
    title="Project access denied",
    category=Category.AUTHORIZATION,
    status=403,
    message="Project '{project}' is beyond this credential: leave it out or use another credential",
    meaning="The project named is not one that the credential reaches.",
    cause="The project does not exist, belongs to another organisation, or is not on the credential's list.",
    remedy="Name a project of the credential, or ask an administrator to add this one.",
)
PROJECT_IS_ARCHIVED = PROJECT_ACCESS_DENIED.saying("Project '{project}' is archived and takes no spans: name another")
ORGANISATION_BEYOND = PROJECT_ACCESS_DENIED.saying(
    "What is of the whole organisation takes a credential that reaches all of its projects: name a project in"
    " '{field}', or use another credential"
)
RESOURCE_ACCESS_DENIED = ErrorSpec(
    code=1102,
    error_code="RESOURCE_ACCESS_DENIED",
    title="Resource access denied",
    category=Category.AUTHORIZATION,
    status=403,
    message="'{field}' goes beyond what you hold yourself: leave out what the details name",
    meaning="Nobody can grant more than they hold.",
    cause="A permission, a project or a tier in the request is beyond the caller's own.",
    remedy="Leave it out, or let somebody make the change who holds it.",
)
IP_NOT_ALLOWED = ErrorSpec(
    code=1103,
    error_code="IP_NOT_ALLOWED",
    title="IP address not allowed",
    category=Category.AUTHORIZATION,
    status=403,
    message="Your address may not make this request: send it from a network that is allowed",
    meaning="The request came from an address outside the allowed networks.",
    cause="The address of the connection, or the one that a trusted proxy reports, is on none of the lists.",
    remedy="Call from an allowed network, or ask the operator to allow this one.",
)
ORGANISATION_ACCESS_DENIED = ErrorSpec(
    code=1104,
    error_code="ORGANISATION_ACCESS_DENIED",
    title="Organisation access denied",
    category=Category.AUTHORIZATION,
    status=403,
    message="You are not a member of organisation '{organisation}': name one of yours",
    meaning="The organisation named is not one of the user's.",
    cause="The organisation does not exist, or the user has no membership there.",
    remedy="Name an organisation that you belong to, or ask its administrator to add you.",
)
NO_MEMBERSHIP = ORGANISATION_ACCESS_DENIED.saying(
    "You are not a member of any organisation: ask an administrator to add you to one"
)
