"""People to choose from in forms."""

from datetime import datetime

from accounts.models import RoleHolding
from accounts.people.choosing import with_a_role


def people_with_roles(at: datetime) -> dict[int, str]:
    """Active people who hold a role now: id → "Dana Whitfield, Executive sponsor", by name. One query."""
    held = (
        RoleHolding.objects.in_force(at)
        .filter(user__in=with_a_role(at).order_by())
        .select_related("user", "role")
        .order_by("user__name", "user_id", "-role__level", "role__sort")
    )
    found: dict[int, str] = {}
    for holding in held:
        found.setdefault(holding.user_id, f"{holding.user.name}, {holding.role.name}")
    return found
