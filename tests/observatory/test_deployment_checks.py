"""What Django itself has to say about a deployment, under the settings that a deployment has."""

import os
import subprocess
import sys

from observatory.env import BASE_DIR

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "observatory.settings.service",
    "API_BASE_URL": "https://observatory.example.com",
    "SECRET_KEY": "Zk3vQm8sTf1LrXw7Hc5Np0Jy2Gd9Bu4EaKi6RoMtVbWqSxTgYh",
    "JWT_SECRET": "another one of the same length and of its own, 53",
    "TRUSTED_PROXY_COUNT": "1",
}


def test_django_has_no_warning_about_a_deployment():
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=BASE_DIR,
        env=os.environ | PRODUCTION,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, "no issues" in checked.stdout + checked.stderr) == (0, True), checked.stderr
