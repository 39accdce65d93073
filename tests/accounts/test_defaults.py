"""What a new installation starts with."""

import pytest

from accounts.defaults import ROLES, ensure_defaults
from accounts.models import Calendar, ExchangeRate, Role

pytestmark = pytest.mark.django_db


def test_every_role_of_the_framework_is_there_once() -> None:
    ensure_defaults()
    ensure_defaults()
    assert Role.objects.count() == len(ROLES) == len({role.slug for role in ROLES})


def test_an_administrators_changes_survive_a_second_run() -> None:
    ensure_defaults()
    Role.objects.filter(slug="director").update(name="Regional director", rank=3)
    ExchangeRate.objects.filter(currency="EUR").update(usd="1.20")
    Calendar.objects.get(slug="business").spans.filter(weekday=4).delete()
    ensure_defaults()
    assert Role.objects.get(slug="director").name == "Regional director"
    assert str(ExchangeRate.objects.get(currency="EUR").usd) == "1.200000"
    assert Calendar.objects.get(slug="business").spans.count() == 4


@pytest.mark.parametrize(
    ("slug", "level", "rank", "sees"),
    [
        ("csm", "", 0, "own"),
        ("legal", "", 0, "function"),
        ("team-lead", "team", 1, "tree"),
        ("director", "director", 2, "tree"),
        ("executive-sponsor", "executive", 3, "all"),
        ("pmo", "", 0, "all"),
    ],
)
def test_roles_have_the_level_and_sight_of_the_framework(slug: str, level: str, rank: int, sees: str) -> None:
    ensure_defaults()
    role = Role.objects.get(slug=slug)
    assert (role.level, role.rank, role.sees) == (level, rank, sees)


def test_committees_decide_by_quorum() -> None:
    ensure_defaults()
    assert set(Role.objects.filter(quorum=True).values_list("slug", flat=True)) == {
        "steering-committee",
        "executive-committee",
    }
