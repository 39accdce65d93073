"""The decision."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The decision."""

    name = "approvals"
