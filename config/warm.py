"""Loads at the start what the first page, mail or job would load, so that processes that are forked later share it."""

from django.template import engines
from django.urls import get_resolver


def warm_up() -> None:
    """Load templates and addresses."""
    engines.all()
    get_resolver().url_patterns  # noqa: B018 - asking is what loads them
