"""The people that a form offers."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.people.models import RoleHolding, User


def colleagues(user: User) -> QuerySet[User]:
    """The active users that a person may find. An external party without another role finds nobody else."""
    inside = user.is_superuser or bool(user.role_slugs - {"external"})
    return User.objects.filter(is_active=True) if inside else User.objects.filter(pk=user.pk)


def with_a_role(at: datetime) -> QuerySet[User]:
    """Active people who hold a role now, by name."""
    held = RoleHolding.objects.in_force(at).values("user")
    return User.objects.filter(is_active=True, kind=User.PERSON, pk__in=held).order_by("name", "pk")
