"""The README's examples, run as they are written."""

import json
import re
import subprocess
import sys

import httpx
import pytest

from observatory.env import BASE_DIR

pytestmark = pytest.mark.e2e


def test_the_first_example_gives_the_answer_it_promises(service, tmp_path):
    readme = (BASE_DIR / "README.md").read_text()
    program = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    assert len(program.strip().splitlines()) <= 10
    program = program.replace("http://localhost:8080", service.base_url)
    program = program.replace(".observatory/credentials.json", str(service.home / "credentials.json"))
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, timeout=60)

    user = service.credentials["users"]["developer"]
    signed_in = httpx.post(f"{service.base_url}/auth/token", data={"grant_type": "password", **user}).json()
    query = re.search(r"api/v1/traces\?(session_id=\S+?)'", readme)[1]
    reply = httpx.get(
        f"{service.base_url}/api/v1/traces?{query}",
        headers={"Authorization": f"Bearer {signed_in['access_token']}"},
    ).json()
    (one,) = reply["data"]
    assert one.pop("duration_ms") >= 0
    assert one == {"model": "gpt-4o", "total_tokens": 1500, "total_cost_usd": 0.0075}


def test_the_search_finds_a_failing_call_as_it_is_printed(service, tmp_path):
    blocks = re.findall(r"```console\n(.*?)```", (BASE_DIR / "README.md").read_text(), re.DOTALL)
    signing_in, search = (next(one for one in blocks if words in one) for words in ("token=$(", "q=status:error wifi"))
    (tmp_path / ".observatory").symlink_to(service.home)
    script = f"{signing_in.partition('curl -s -H')[0]}\n{search}".replace("http://localhost:8080", service.base_url)
    said = subprocess.run(["bash", "-euc", script], check=True, cwd=tmp_path, timeout=60, stdout=subprocess.PIPE).stdout
    (found,) = json.loads(said)["data"]
    trace_id = found.pop("trace_id")
    highlights = json.dumps(found.pop("highlights"))
    assert (sorted(found), "wifi" in highlights.lower()) == (["error_message", "error_type", "model"], True)
    assert None not in (found["error_type"], found["error_message"])

    user = service.credentials["users"]["developer"]
    signed_in = httpx.post(f"{service.base_url}/auth/token", data={"grant_type": "password", **user}).json()
    trace = httpx.get(
        f"{service.base_url}/api/v1/traces/{trace_id}?fields=trace_status",
        headers={"Authorization": f"Bearer {signed_in['access_token']}"},
    ).json()
    assert trace["data"] == {"trace_status": "ERROR"}
