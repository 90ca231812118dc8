from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Spans in, figures out."""

    name = "analytics"

    def ready(self) -> None:
        from analytics import checks  # noqa: F401, PLC0415  # registers its checks once the apps are loaded
