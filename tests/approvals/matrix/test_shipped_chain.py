"""What is shipped: who takes part besides the authority, committees by half, and what mail may decide."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Role, User
from approvals.matrix import versions
from approvals.matrix.preview import preview
from approvals.models import AuthorityVersion
from tests.support.deciding import make_world

D = Decimal


@pytest.fixture
def shipped(db: None) -> Any:
    """The world as it is shipped, with somebody in every function and two more on the committee."""
    world = make_world(functions=True)
    for slug in ("legal", "product", "finance-lead"):
        setattr(world, slug.replace("-", "_"), holder(slug, slug))
    world.steering = [holder("steering-committee", name) for name in ("Sam Two", "Sam Three")]
    return world


def holder(role: str, name: str) -> User:
    """Somebody who holds the role."""
    person = User.objects.create_user(f"{name.replace(' ', '.').lower()}@desk.example", None, name=name)
    person.holdings.create(role=Role.objects.get(slug=role))
    return person


def chain(world: Any, concession: str, amount: int | None = None) -> list[list[tuple[str, bool]]]:
    """Stage by stage, each group by name and whether it is only consulted."""
    much = None if amount is None else D(amount)
    found = preview(concession=concession, amount=much, currency="USD", account=world.northwind, user=world.marcus)
    return [[(group["name"], group["consulted"]) for group in stage["groups"]] for stage in found.chain]


@pytest.mark.parametrize(
    ("concession", "amount", "stages"),
    [
        ("discount", 15, [["Director"]]),
        ("indemnity", None, [["Legal"], ["Executive sponsor"]]),
        ("risk-acceptance", None, [["Legal"], ["Executive sponsor"]]),
        ("contract-term", None, [["Legal"], ["Director"]]),
        ("roadmap-commitment", None, [["Product"], ["Executive sponsor"]]),
        ("payment-terms", 45, [["Director", "Finance lead"]]),
        ("liability-cap", 12, [["Director", "Legal (consulted)"]]),
    ],
)
def test_functions_take_part_where_they_must(shipped: Any, concession: str, amount: int | None, stages: Any) -> None:
    found = [
        sorted(f"{name} (consulted)" if consulted else name for name, consulted in stage)
        for stage in chain(shipped, concession, amount)
    ]
    assert found == stages


def test_half_of_a_committee_settles_it(shipped: Any) -> None:
    found = preview(concession="discount", amount=D(40), currency="USD", account=shipped.northwind, user=shipped.marcus)
    [group] = found.chain[-1]["groups"]
    assert (group["name"], len(group["people"])) == ("Steering committee", 3)
    version = AuthorityVersion.objects.get()
    rows = version.committees.values_list("role__slug", "quorum", "quorum_of")
    assert set(rows) == {("steering-committee", "percent", 50), ("executive-committee", "percent", 50)}


def test_what_mail_may_decide_is_measured_and_never_from_the_link_alone(shipped: Any) -> None:
    version = AuthorityVersion.objects.get()
    found = dict(version.concessions.values_list("slug", "reply_up_to"))
    assert {slug: most for slug, most in found.items() if most is not None} == {
        "discount": 20,
        "refund": 10_000,
        "credit": 10_000,
        "payment-terms": 60,
        "liability-cap": 12,
    }
    assert not version.concessions.filter(link_up_to__isnull=False).exists()


def test_the_shipped_matrix_is_sound_and_a_copy_changes_nothing(shipped: Any) -> None:
    assert versions.check(AuthorityVersion.objects.get()) == []
    draft = versions.clone_draft(by=shipped.sana)
    assert versions.diff(draft) == []
    assert [getattr(draft, name).count() for name in ("chain_rules", "committees")] == [6, 2]
    assert not draft.chain_rules.exclude(concession__version=draft).exists()


def test_a_function_nobody_holds_is_named_before_publishing(shipped: Any) -> None:
    shipped.legal.holdings.all().delete()
    problems = versions.check(AuthorityVersion.objects.get())
    assert len(problems) == 3
    assert all("nobody holds the role Legal" in problem for problem in problems)
