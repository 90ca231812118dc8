from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may ask for what: organisations, projects, members, keys and tokens."""

    name = "observatory.accounts"
    label = "accounts"
