from django.apps import AppConfig


class ObservatoryConfig(AppConfig):
    """The project itself: middleware, health, metrics and the commands that start it."""

    name = "observatory"
    verbose_name = "LLM Observatory"
