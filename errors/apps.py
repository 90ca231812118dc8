from django.apps import AppConfig


class ErrorsConfig(AppConfig):
    name = "errors"

    def ready(self) -> None:
        from errors import checks  # noqa: F401, PLC0415  # registers its checks once the apps are loaded
