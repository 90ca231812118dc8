from django.apps import AppConfig
from django.contrib.admin import apps as administration


class ObservatoryConfig(AppConfig):
    """The project itself: middleware, health, metrics and the commands that start it."""

    name = "observatory"
    default = True
    verbose_name = "LLM Observatory"

    def ready(self) -> None:
        from observatory import checks  # noqa: F401, PLC0415  # registers its checks once the apps are loaded


class AdministrationConfig(administration.AdminConfig):
    """Django's admin, as our site."""

    default = False
    default_site = "observatory.admin_site.ObservatoryAdminSite"
