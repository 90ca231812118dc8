"""What `up` shows when the service is ready."""

import json
import secrets
import shlex
import sys
from pathlib import Path

from observatory.env import BASE_DIR

_SPAN = {
    "name": "chat gpt-4o-mini",
    "kind": 3,
    "attributes": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 300,
    },
}


def greeting(url: str, credentials: Path, *, live_url: str) -> str:
    """Return the text for the terminal; its commands read secrets from `credentials` instead of showing them."""
    if not credentials.exists():
        manage = shlex.join([sys.executable, str(BASE_DIR / "manage.py")])
        return (
            f"\nLLM Observatory is ready: {url}\n\n"
            f"Dashboards:                     {url}/app\n"
            f"Make the first superuser:       {manage} createsuperuser\n"
            f"an organisation and a project:  {url}/admin/\n"
            f"and a key for its applications: {manage} create_api_key --help\n"
        )
    lines = (
        f"LLM Observatory is ready: {url}",
        f"Dashboards:               {url}/app",
        f"Credentials:              {credentials} (sign in as demo-developer)",
        f"Documentation:            {url}/docs (of the API: {url}/api/docs)",
        f"Events as they happen:    {live_url}/api/v1/events",
        "",
        "Send a span, sign in, and read it back:",
        "",
        *curl_lines(url, credentials),
    )
    return "\n" + "\n".join(lines) + "\n"


def curl_lines(url: str, credentials: Path) -> tuple[str, str, str]:
    """Return three lines for a POSIX shell: send one span, get a token, list the newest trace."""
    place = repr(str(credentials))
    key = _python(f"import json; print(json.load(open({place}))['ingest_key'])")
    form = _python(
        "import json, urllib.parse; "
        f"user = json.load(open({place}))['users']['developer']; "
        "print(urllib.parse.urlencode({'grant_type': 'password', "
        "'username': user['username'], 'password': user['password']}))"
    )
    token = _python("import json, sys; print(json.load(sys.stdin)['access_token'])")
    send = f'curl -sS {url}/v1/traces -H "Authorization: Bearer $({key})" -H "Content-Type: application/json"'
    return (
        f"{send} -d {_span_in_shell()}",
        f"TOKEN=$({form} | curl -sS {url}/auth/token -d @- | {token})",
        f"curl -sS '{url}/api/v1/traces?limit=1' -H \"Authorization: Bearer $TOKEN\"",
    )


def _python(program: str) -> str:
    # Double quotes outside: the program holds single ones, and the shell has nothing to expand in it.
    return f"{shlex.quote(sys.executable)} -c {_double_quoted(program)}"


def _double_quoted(text: str) -> str:
    for special in ("\\", '"', "$", "`"):
        text = text.replace(special, "\\" + special)
    return f'"{text}"'


def _span_in_shell() -> str:
    """Return one OTLP request as a shell word; its times are those of the moment in which it is sent."""
    attributes = [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
        for key, value in _SPAN["attributes"].items()  # type: ignore[attr-defined]  # a literal of mixed values
    ]
    span = {
        "traceId": secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": _SPAN["name"],
        "kind": _SPAN["kind"],
        "startTimeUnixNano": "START",
        "endTimeUnixNano": "END",
        "attributes": attributes,
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}, separators=(",", ":"))
    # `date +%s%N` knows no nanoseconds on macOS; whole seconds are precise enough here.
    word = shlex.quote(body)
    return word.replace("START", "'$(date +%s)000000000'").replace("END", "'$(date +%s)420000000'")
