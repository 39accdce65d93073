"""Who: companies, people, roles, calendars."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who: companies, people, roles, calendars."""

    name = "accounts"
