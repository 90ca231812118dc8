"""Settings of `up` alone, which runs before there is a database."""

SECRET_KEY = "only `up` runs with this and it signs nothing"  # noqa: S105  no secret
INSTALLED_APPS = ["observatory"]
USE_TZ = True
