"""The examples of the README and of the tutorial, run as they are written."""

import json
import os
import re
import subprocess
import sys

import httpx
import pytest

from observatory.env import BASE_DIR
from tests.e2e.model_server import model_server
from tests.e2e.programs.exchanges import CHATS

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


def test_the_tutorial_leads_to_a_trace_of_ones_own(service, tmp_path):
    page = (BASE_DIR / "docs" / "tutorial" / "first-trace.md").read_text()
    said = CHATS[0]
    (program,) = re.findall(r"Save this as `ask.py`:\n\n```python\n(.*?)```", page, re.DOTALL)
    # A question that the model server has an answer to.
    program = program.replace("gpt-4o-mini", said.model).replace("Say hello in three languages.", said.question)
    (tmp_path / "ask.py").write_text(program)
    (tmp_path / ".observatory").symlink_to(service.home)
    exports = "\n".join(re.findall(r"^export (?!OPENAI).*", page, re.MULTILINE))
    script = f"{exports}\n{sys.executable} ask.py".replace("http://localhost:8080", service.base_url)
    with model_server() as url:
        environment = os.environ | {
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": url,
            "NO_PROXY": "localhost,127.0.0.1",
        }
        done = subprocess.run(
            ["bash", "-euc", script], check=True, cwd=tmp_path, env=environment, timeout=60, stdout=subprocess.PIPE
        )
    assert done.stdout.decode().strip() == said.answer

    query = re.search(r"api/v1/traces\?(service_name=\S+?)'", page)[1]
    user = service.credentials["users"]["developer"]
    signed_in = httpx.post(f"{service.base_url}/auth/token", data={"grant_type": "password", **user}).json()
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    (one,) = httpx.get(f"{service.base_url}/api/v1/traces?{query}", headers=headers).json()["data"]
    assert (one["input_text"], one["total_tokens"], one["total_cost_usd"]) == (said.question, 1500, 0.0075)
