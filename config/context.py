"""What every page shows around its content."""

from typing import Any

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Counters of the navigation; nothing for visitors who are not signed in."""
    return {}
