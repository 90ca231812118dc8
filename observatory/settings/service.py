"""Settings of web, worker and commands."""

from observatory.settings.base import *  # noqa: F403  a settings module is a namespace
