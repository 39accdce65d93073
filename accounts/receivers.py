"""Registers the system check of this app."""

from django.core.checks import CheckMessage, register

from accounts.customers.panels import check_panels


@register
def check_registries(app_configs: object, **_: object) -> list[CheckMessage]:
    """The blocks of the account page are complete."""
    return list(check_panels())
