"""The bucket of exported files as django-storages sees it, with waits that a request can bear."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 3, 15, 2


class Bucket(S3Storage):  # type: ignore[misc]  # without types
    """A bucket that is away is given up within seconds: downloads say so, exports are taken up again later."""

    def get_default_settings(self) -> dict[str, Any]:
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        )
        return {**super().get_default_settings(), "client_config": config}
