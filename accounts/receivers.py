"""Registers the system check of this app."""

from typing import Any

from django.core.checks import CheckMessage, register

from accounts.customers.panels import check_panels


@register
def check_registries(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """The blocks of the account page are complete."""
    return list(check_panels())
