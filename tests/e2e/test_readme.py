"""The README's first example, run as it is written."""

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
