"""New terms: for the better votes stay, for the worse they are void; recalled requests asked again."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import ExchangeRate
from approvals.mail import links
from approvals.models import ApprovalRequest, DecisionLink
from approvals.requests import decide as deciding
from approvals.requests import terms as changing
from ledger import chain
from ledger.errors import AlreadyDone, Invalid, NotAllowed, Stale
from ledger.now import now
from messaging.models import Message
from tests.approvals.granted import granted
from tests.approvals.requests.test_chains import asked, kinds, lawyer, plain_matrix, rule, vote
from tests.support.cast import Cast

__all__ = ["lawyer", "plain_matrix"]
Ask = Callable[..., ApprovalRequest]
D = Decimal


def change(made: ApprovalRequest, by: Any, **values: Any) -> ApprovalRequest:
    """New terms on the version that is there now."""
    made.refresh_from_db()
    given = {"version": made.version, "reason": "The customer came back.", **values}
    names = [name for name in ("amount", "currency", "terms", "ask") if name in given]
    wanted = changing.NewTerms(**{name: given.pop(name) for name in names})
    return changing.change_terms(request_id=made.pk, by=by, wanted=wanted, **given)


def test_worse_terms_void_what_was_said_and_ask_everybody_again(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal")
    made = ask()
    vote(made, lawyer)
    made = change(made, deciders.csm, amount=D(18))
    assert (made.amount, made.terms["amount"], made.version, made.stage) == (D(18), "18", 2, 1)
    assert (asked(made), made.approver, made.authority_seat.number) == (["Aisha Okafor"], deciders.director, 4)
    assert [seat.state for seat in made.seats.all()] == ["voided", "voided", "asked", "planned"]
    assert kinds(made) == ["asked", "vote", "amended", "voided"]
    facts = made.log.get(kind="amended").facts
    assert (facts["outcome"], facts["reasons"]) == ("worse", ["The amount is larger."])
    assert (facts["before"]["terms"]["amount"], facts["after"]["terms"]["amount"]) == ("15", "18")
    assert Message.objects.filter(user=lawyer, subject__startswith="Your approval is void").count() == 1
    alive = [link for link in DecisionLink.objects.select_related("request") if links.is_alive(link, now())]
    assert [(link.approver, link.seat.number) for link in alive] == [(lawyer, 3)]
    vote(made, lawyer)
    made = vote(made, deciders.director)
    assert made.state == "approved"
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_a_larger_amount_goes_to_whoever_may_grant_it(deciders: Cast, ask: Ask) -> None:
    made = change(ask(), deciders.csm, amount=D(25))
    assert (made.approver, asked(made), made.rule["role"]) == (
        deciders.sponsor,
        ["Dana Whitfield"],
        "executive-sponsor",
    )
    with pytest.raises(Stale, match="Terms changed"):
        deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=1)


def test_worse_terms_that_nobody_may_grant_change_nothing(deciders: Cast, ask: Ask) -> None:
    made = ask(concession="payment-terms", amount=D(60))
    with pytest.raises(Invalid, match="Nobody may approve"):
        change(made, deciders.csm, amount=D(120))
    made.refresh_from_db()
    assert (made.amount, made.version, asked(made), kinds(made)) == (D(60), 1, ["Lena Ortiz"], ["asked"])


def test_better_terms_keep_what_was_said_and_let_the_others_read_again(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal")
    made = ask()
    vote(made, lawyer)
    made = change(made, deciders.csm, amount=D(12), terms={"give_gets": ["A case study"]})
    assert (asked(made), made.version, kinds(made)) == (["Lena Ortiz"], 2, ["asked", "vote", "amended"])
    assert made.log.last().facts["reasons"] == ["The amount is smaller.", "In return: A case study."]
    alive = [link for link in DecisionLink.objects.select_related("request") if links.is_alive(link, now())]
    assert [(link.approver, link.version) for link in alive] == [(deciders.director, 2)]
    assert Message.objects.filter(user=deciders.director, kind="approval").count() == 2
    assert vote(made, deciders.director).state == "approved"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"text": "12 months"}, {"text": "12 months or more"}),
        ({"text": "12 months"}, {}),
        ({}, {"text": "Any"}),
        ({"give_gets": ["3-year term", "Reference"]}, {"give_gets": ["Reference"]}),
    ],
)
def test_any_other_difference_is_for_the_worse(deciders: Cast, ask: Ask, before: Any, after: Any) -> None:
    made = change(ask(terms=before), deciders.csm, amount=D(10), terms=after)
    assert made.log.get(kind="amended").facts["outcome"] == "worse"


def test_other_numbers_in_the_question_are_no_other_question(deciders: Cast, ask: Ask) -> None:
    made = change(ask(), deciders.csm, amount=D(12), ask="Approve a 12% discount for Northwind?")
    assert made.log.last().facts["outcome"] == "better"
    made = change(made, deciders.csm, ask="Approve a 12% discount and free support for Northwind?")
    assert made.log.last().facts["outcome"] == "worse"


@pytest.mark.parametrize(("euros", "outcome"), [("4500", "better"), ("4700", "worse")])
def test_another_currency_is_compared_in_usd(deciders: Cast, ask: Ask, euros: str, outcome: str) -> None:
    ExchangeRate.objects.create(currency="EUR", on="2020-01-01", usd=D("1.1"))
    made = change(ask(concession="refund", amount=D(5000)), deciders.csm, amount=D(euros), currency="EUR")
    assert made.log.get(kind="amended").facts["outcome"] == outcome
    assert made.amount_usd == D(euros) * D("1.1")


def test_worse_terms_on_a_granted_request_void_it_and_ask_in_a_new_one(deciders: Cast, ask: Ask) -> None:
    made = ask(concession="refund", amount=D(6000))
    vote(made, deciders.director)
    deciding.seal(request_id=made.pk)
    newer = change(made, deciders.csm, amount=D(9000))
    made.refresh_from_db()
    assert (made.state, newer.state, newer.replaces, newer.approver) == ("replaced", "open", made, deciders.director)
    assert kinds(made)[-2:] == ["voided", "replaced"]
    assert made.log.last().facts["by"] == newer.pk
    # It was carried out: given, until the new terms are granted in its place.
    assert granted(deciders.northwind) == 6000
    vote(newer, deciders.director)
    assert granted(deciders.northwind) == 9000
    assert newer.rule["granted"] == "0"
    with pytest.raises(AlreadyDone, match="Replaced by new terms by Priya Raman"):
        vote(made, deciders.director)
    assert Message.objects.filter(user=deciders.director, subject__startswith="Replaced by new terms").exists()
    with pytest.raises(Stale):
        deciding.undo(request_id=made.pk, by=deciders.director)


def test_better_terms_on_a_granted_request_are_noted(deciders: Cast, ask: Ask) -> None:
    made = vote(ask(), deciders.director)
    made = change(made, deciders.csm, amount=D(11))
    assert (made.state, made.amount, kinds(made)) == ("approved", D(11), ["asked", "approved", "amended"])


def test_who_changes_terms_does_not_decide_on_them(deciders: Cast, ask: Ask) -> None:
    made = ask()
    with pytest.raises(NotAllowed, match="You decide this"):
        change(made, deciders.director, amount=D(12))
    made = change(made, deciders.sponsor, amount=D(25))
    assert made.approver == deciders.committee
    with pytest.raises(NotAllowed):
        vote(made, deciders.sponsor, reason="Quick.")


def test_strangers_old_versions_empty_reasons_and_no_change_are_refused(deciders: Cast, ask: Ask) -> None:
    made = ask()
    with pytest.raises(NotAllowed):
        change(made, deciders.outsider, amount=D(12))
    with pytest.raises(Stale, match="The request changed at"):
        change(made, deciders.csm, amount=D(12), version=9)
    with pytest.raises(Invalid, match="reason"):
        change(made, deciders.csm, amount=D(12), reason=" ")
    with pytest.raises(Invalid, match="Nothing would change"):
        change(made, deciders.csm, amount=D(15))
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="No.")
    with pytest.raises(AlreadyDone):
        change(made, deciders.csm, amount=D(12))


def test_a_recalled_request_is_asked_again_and_agreement_carries_over(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal")
    old = ask()
    vote(old, lawyer)
    deciding.recall(request_id=old.pk, by=deciders.csm, reason="A word was missing.")
    made = changing.resubmit(request_id=old.pk, by=deciders.csm)
    assert (made.replaces, made.stage, asked(made)) == (old, 2, ["Lena Ortiz"])
    entry = made.log.get(kind="vote")
    assert (entry.actor, entry.channel, entry.facts["carried_from"]) == (lawyer, "rule", old.pk)
    assert vote(made, deciders.director).state == "approved"
    with pytest.raises(AlreadyDone):
        changing.resubmit(request_id=old.pk, by=deciders.csm)


def test_worse_terms_carry_nothing_over(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal")
    old = ask()
    vote(old, lawyer)
    deciding.recall(request_id=old.pk, by=deciders.csm, reason="More is needed.")
    made = changing.resubmit(request_id=old.pk, by=deciders.csm, wanted=changing.NewTerms(amount=D(16)))
    assert (asked(made), kinds(made)) == (["Aisha Okafor"], ["asked"])


def test_only_a_recalled_request_is_asked_again_by_those_who_may(deciders: Cast, ask: Ask) -> None:
    made = ask()
    with pytest.raises(Stale):
        changing.resubmit(request_id=made.pk, by=deciders.csm)
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="No.")
    with pytest.raises(NotAllowed):
        changing.resubmit(request_id=made.pk, by=deciders.outsider)


def test_an_open_request_is_superseded_at_once(deciders: Cast, ask: Ask) -> None:
    made = ask()
    newer = changing.supersede(
        request_id=made.pk,
        by=deciders.csm,
        version=1,
        reason="Two asks in one.",
        wanted=changing.NewTerms(amount=D(10)),
    )
    made.refresh_from_db()
    assert (made.state, newer.replaces, newer.amount, newer.approver) == ("replaced", made, D(10), deciders.lead)
    assert made.seats.get().state == "voided"
