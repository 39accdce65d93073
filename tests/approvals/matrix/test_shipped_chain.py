"""What is shipped: who takes part besides the authority, committees by half, and what mail may decide."""

from decimal import Decimal
from typing import Any

import pytest

from approvals.matrix import versions
from approvals.matrix.preview import preview
from approvals.matrix.totals import Ask
from approvals.models import AuthorityVersion
from tests.support.cast import Cast, person

D = Decimal


@pytest.fixture
def company(cast: Cast) -> Cast:
    """The cast, with somebody for the product and two more on the committee."""
    for role, name in (
        ("product", "Pia Product"),
        ("steering-committee", "Sam Two"),
        ("steering-committee", "Sam Three"),
    ):
        person(f"{name.replace(' ', '.').lower()}@desk.example", name, role)
    return cast


def chain(cast: Cast, concession: str, amount: int | None = None) -> list[list[tuple[str, bool]]]:
    """Stage by stage, each group by name and whether it is only consulted."""
    much = None if amount is None else D(amount)
    found = preview(Ask(concession, much, "USD", cast.northwind), user=cast.csm)
    return [[(group.name, group.consulted) for group in stage.groups] for stage in found.stages]


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
def test_functions_take_part_where_they_must(company: Cast, concession: str, amount: int | None, stages: Any) -> None:
    found = [
        sorted(f"{name} (consulted)" if consulted else name for name, consulted in stage)
        for stage in chain(company, concession, amount)
    ]
    assert found == stages


def test_half_of_a_committee_settles_it(company: Cast) -> None:
    found = preview(Ask("discount", D(40), "USD", company.northwind), user=company.csm)
    [group] = found.stages[-1].groups
    assert (group.name, len(group.people)) == ("Steering committee", 3)
    version = AuthorityVersion.objects.get()
    rows = version.committees.values_list("role__slug", "quorum", "quorum_of")
    assert set(rows) == {("steering-committee", "percent", 50), ("executive-committee", "percent", 50)}


def test_what_mail_may_decide_is_measured_and_never_from_the_link_alone(company: Cast) -> None:
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


def test_the_shipped_matrix_is_sound_and_a_copy_changes_nothing(company: Cast) -> None:
    assert versions.check(AuthorityVersion.objects.get()) == []
    draft = versions.clone_draft(by=company.ops)
    assert versions.diff(draft) == []
    assert [getattr(draft, name).count() for name in ("chain_rules", "committees")] == [6, 2]
    assert not draft.chain_rules.exclude(concession__version=draft).exists()


def test_a_function_nobody_holds_is_named_before_publishing(company: Cast) -> None:
    company.legal.holdings.all().delete()
    problems = versions.check(AuthorityVersion.objects.get())
    assert len(problems) == 3
    assert all("nobody holds the role Legal" in problem for problem in problems)
