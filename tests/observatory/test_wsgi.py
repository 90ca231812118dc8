"""The application that the server loads."""

import subprocess
import sys

from observatory.env import BASE_DIR


def test_routes_and_their_views_are_there_before_the_first_request():
    asked = "import sys, observatory.wsgi; print('analytics.api.otlp' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], cwd=BASE_DIR, check=True, capture_output=True, text=True)

    assert said.stdout.strip() == "True"
