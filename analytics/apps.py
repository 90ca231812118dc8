from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Spans in, figures out."""

    name = "analytics"
