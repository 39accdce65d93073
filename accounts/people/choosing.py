"""The people that a form offers."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.people.models import Role, RoleHolding, User


def colleagues(user: User) -> QuerySet[User]:
    """The active users that a person may find. An external party without another role finds nobody else."""
    return User.objects.filter(pk=user.pk) if user.is_external else User.objects.filter(is_active=True)


def with_a_role(at: datetime) -> QuerySet[User]:
    """Active people of our company who hold a role now, by name."""
    held = RoleHolding.objects.in_force(at).exclude(role__sees=Role.SHARED).values("user")
    return User.objects.filter(is_active=True, kind=User.PERSON, pk__in=held).order_by("name", "pk")


def external_parties(at: datetime) -> QuerySet[User]:
    """Active people who hold no role but that of an external party, by name."""
    held = RoleHolding.objects.in_force(at)
    outside, inside = held.filter(role__sees=Role.SHARED), held.exclude(role__sees=Role.SHARED)
    people = User.objects.filter(is_active=True, kind=User.PERSON, is_superuser=False, pk__in=outside.values("user"))
    return people.exclude(pk__in=inside.values("user")).order_by("name", "pk")
