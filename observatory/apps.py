from django.apps import AppConfig


class ObservatoryConfig(AppConfig):
    """The project itself: middleware, health, metrics and the commands that start it."""

    name = "observatory"
    verbose_name = "LLM Observatory"

    def ready(self) -> None:
        from observatory import checks  # noqa: F401, PLC0415  # registers its checks once the apps are loaded
