"""Asking: who gets it, bands, split amounts, frozen terms, and what is refused."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from approvals.models import ApprovalRequest, AuthorityVersion
from approvals.requests import decide as deciding
from approvals.requests.rules.terms import terms_hash
from ledger import chain
from ledger.errors import Invalid
from ledger.now import now
from messaging.models import Message, Notice
from tests.support.cast import Cast

D = Decimal
Ask = Callable[..., ApprovalRequest]


@pytest.mark.parametrize(
    ("concession", "amount", "who"),
    [
        ("discount", "10", "lead"),
        ("discount", "10.01", "director"),
        ("discount", "20", "director"),
        ("discount", "20.01", "sponsor"),
        ("discount", "35.01", "committee"),
        ("refund", "2000", "lead"),
        ("refund", "2000.01", "director"),
        ("refund", "10000", "director"),
        ("refund", "10000.01", "sponsor"),
        ("refund", "100000.01", "committee"),
        ("payment-terms", "60", "director"),
        ("payment-terms", "61", "sponsor"),
        ("liability-cap", "12", "director"),
        ("liability-cap", "24", "sponsor"),
        ("liability-cap", "24.01", "committee"),
        ("indemnity", None, "sponsor"),
        ("roadmap-commitment", None, "sponsor"),
        ("contract-term", None, "director"),
    ],
)
def test_the_shipped_matrix_finds_the_person(
    deciders: Cast, ask: Ask, concession: str, amount: str | None, who: str
) -> None:
    made = ask(concession=concession, amount=None if amount is None else D(amount))
    assert made.approver == getattr(deciders, who)
    assert made.seats.get().role == made.approver_role


def test_the_request_keeps_what_was_weighed_and_tells_the_approver(deciders: Cast, ask: Ask, told: list[str]) -> None:
    made = ask(why_now="Northwind signs Friday.")
    assert (made.state, made.authority_seat.number, made.version) == ("open", 1, 1)
    assert made.rule["role"] == "director"
    assert [each["role"] for each in made.rule["below"]] == ["CSM", "Team lead"]
    assert made.terms["amount"] == "15"
    assert made.terms_hash == terms_hash(made.terms)
    assert told == ["asked"]
    mail = Message.objects.get()
    assert mail.user == deciders.director
    assert mail.subject.startswith("Decision needed by ")
    assert mail.subject.endswith("Northwind Logistics discount, $500k ARR")
    assert mail.source == f"approval:{made.pk}:1"
    assert mail.text.count("/d/") == mail.html.count("/d/") == 1
    assert "If there is no decision by" in mail.text
    assert "Executive sponsor" in mail.text
    assert Notice.objects.get().user == deciders.director
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_the_requester_is_never_asked(deciders: Cast, ask: Ask) -> None:
    assert ask(requester=deciders.director).approver == deciders.sponsor
    assert ask(requester=deciders.lead, amount=D(8), concession="discount").approver == deciders.director


def test_people_left_out_are_never_asked(deciders: Cast, ask: Ask) -> None:
    assert ask(exclude=[deciders.director.pk]).approver == deciders.sponsor


def test_a_csm_decides_for_their_own_account_only(deciders: Cast, ask: Ask) -> None:
    assert ask(requester=deciders.ae, amount=D(4)).approver == deciders.csm
    assert ask(requester=deciders.csm, amount=D(4)).approver == deciders.lead


def test_a_band_grants_by_rule_and_is_logged(deciders: Cast, ask: Ask, told: list[str]) -> None:
    made = ask(amount=D(5), tier="green")
    assert (made.state, made.by_rule, made.approver, made.decided_by) == ("approved", True, None, None)
    assert told == ["asked", "approved"]
    assert [(entry.kind, entry.channel) for entry in made.log.all()] == [("asked", "web"), ("approved", "rule")]
    assert list(chain.breaks_in(made, made.log.all())) == []
    assert [mail.user for mail in Message.objects.all()] == [deciders.csm]


@pytest.mark.parametrize(("amount", "tier"), [("5.01", "green"), ("5", "yellow"), ("5", "")])
def test_outside_the_band_a_person_decides(ask: Ask, amount: str, tier: str) -> None:
    assert ask(amount=D(amount), tier=tier).state == "open"


def test_a_band_cannot_be_used_up_in_pieces(ask: Ask) -> None:
    assert ask(concession="credit", amount=D(300), tier="green").by_rule
    assert ask(concession="credit", amount=D(200), tier="green").by_rule
    assert not ask(concession="credit", amount=D("0.01"), tier="green").by_rule


def test_amounts_that_were_split_are_added_up(deciders: Cast, ask: Ask) -> None:
    first = ask(concession="refund", amount=D(6000))
    deciding.decide(request_id=first.pk, by=deciders.director, verdict="approved", version=1)
    second = ask(concession="refund", amount=D(4000))
    assert (second.approver, second.total_usd) == (deciders.director, D(10_000))
    deciding.decide(request_id=second.pk, by=deciders.director, verdict="approved", version=1)
    third = ask(concession="refund", amount=D("0.01"))
    assert third.approver == deciders.sponsor
    assert "granted to this account in the last 90 days" in third.rule["sentence"]


def test_grants_of_another_account_concession_or_time_do_not_count(deciders: Cast, ask: Ask) -> None:
    first = ask(concession="refund", amount=D(9000))
    deciding.decide(request_id=first.pk, by=deciders.director, verdict="approved", version=1)
    assert ask(concession="refund", amount=D(9000), account=deciders.elsewhere).approver == deciders.director
    assert ask(concession="credit", amount=D(9000)).approver == deciders.director
    ApprovalRequest.objects.filter(pk=first.pk).update(decided_at=now() - timedelta(days=90))
    assert ask(concession="refund", amount=D(9000)).approver == deciders.director


def test_money_is_compared_in_usd(deciders: Cast, ask: Ask) -> None:
    made = ask(concession="refund", amount=D(9500), currency="EUR")
    assert made.amount_usd == D("10260.00")
    assert made.approver == deciders.sponsor


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"concession": "free-lunch"}, "Choose a concession"),
        ({"concession": "refund", "currency": "XXA"}, "no exchange rate"),
        ({"amount": None}, "Enter an amount above 0"),
        ({"amount": D(0)}, "above 0"),
        ({"amount": D(-5)}, "above 0"),
        (
            {"concession": "payment-terms", "amount": D(91)},
            "Nobody may approve net 91: Executive sponsor has the highest limit",
        ),
        ({"ask": " "}, "Enter the ask"),
        ({"recommendation": ""}, "Enter a recommendation"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(ask: Ask, values: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        ask(**values)
    assert not ApprovalRequest.objects.exists()
    assert not Message.objects.exists()


def test_a_deadline_must_lie_ahead(ask: Ask) -> None:
    with pytest.raises(Invalid, match="in the future") as refused:
        ask(deadline=now() - timedelta(seconds=1))
    assert refused.value.field == "deadline"


def test_without_a_matrix_in_force_nobody_may(ask: Ask) -> None:
    AuthorityVersion.objects.update(effective_from=now() + timedelta(days=1))
    with pytest.raises(Invalid, match="No authority matrix is in force"):
        ask()


def test_when_nobody_holds_the_roles_it_is_refused(deciders: Cast, ask: Ask) -> None:
    for person in (deciders.sponsor, deciders.committee):
        person.holdings.all().delete()
    with pytest.raises(Invalid, match="Nobody else holds a role"):
        ask(amount=D(30))
