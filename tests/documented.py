"""The OpenAPI document as it is checked in, read in a tenth of the time it is made in; a test proves it is the current one."""

from typing import Any

import yaml

from observatory.env import BASE_DIR

DOCUMENT: dict[str, Any] = yaml.load((BASE_DIR / "openapi.yaml").read_text(), yaml.CSafeLoader)
