from django.apps import AppConfig


class RateLimitConfig(AppConfig):
    name = "ratelimit"

    def ready(self) -> None:
        from ratelimit import checks  # noqa: F401, PLC0415  # registers its checks once the apps are loaded
