"""Ways round the matrix that people try: each is closed, by every road that leads there."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from accounts.models import ExchangeRate, Role, User
from accounts.people.queries import best_holder
from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from approvals.requests import terms as changing
from approvals.requests.permissions import for_user
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now
from tests.approvals.granted import granted
from tests.approvals.requests.test_chains import kinds, lawyer, person, plain_matrix, rule, vote
from tests.support.cast import Cast

__all__ = ["lawyer", "plain_matrix"]

Ask = Callable[..., ApprovalRequest]
D = Decimal


def refund(ask: Ask, amount: int | str, **values: Any) -> ApprovalRequest:
    return ask(concession="refund", amount=D(amount), ask=f"Refund {amount} USD?", **values)


def change(made: ApprovalRequest, by: User, **values: Any) -> ApprovalRequest:
    made.refresh_from_db()
    wanted = changing.NewTerms(**values)
    return changing.change_terms(request_id=made.pk, by=by, version=made.version, reason="Their counsel", wanted=wanted)


@pytest.fixture
def paid(deciders: Cast, ask: Ask) -> ApprovalRequest:
    """9,000 USD, granted by Lena, whose limit is 10,000, and carried out."""
    made = vote(refund(ask, 9000), deciders.director)
    deciding.seal(request_id=made.pk)
    made.refresh_from_db()
    return made


def a_rate(usd: str, days_ago: int = 0) -> None:
    """EUR in USD from that day on."""
    day = now().date() - timedelta(days=days_ago)
    ExchangeRate.objects.update_or_create(currency="EUR", on=day, defaults={"usd": D(usd)})


# What was given stays given ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [changing.change_terms, changing.supersede])
def test_less_does_not_take_the_place_of_what_was_carried_out(deciders: Cast, ask: Ask, paid: Any, verb: Any) -> None:
    less = changing.NewTerms(amount=D(1), ask="Refund them?")
    with pytest.raises(Invalid, match="a smaller amount cannot replace it"):
        verb(request_id=paid.pk, by=deciders.csm, version=paid.version, reason="x", wanted=less)
    assert refund(ask, 9000).approver == deciders.sponsor


def test_more_in_return_may_still_come(deciders: Cast, paid: ApprovalRequest) -> None:
    out = change(paid, deciders.csm, terms={"give_gets": ["A case study"]})
    assert (out.pk, out.state) == (paid.pk, "approved")


def test_what_was_carried_out_counts_until_what_replaces_it_is_granted(deciders: Cast, ask: Ask, paid: Any) -> None:
    def given() -> Decimal:
        return granted(deciders.northwind)

    newer = change(paid, deciders.csm, amount=D(9001))
    assert given() == 9000
    deciding.recall(request_id=newer.pk, by=deciders.csm, reason="Never mind")
    assert given() == 9000
    assert refund(ask, 9000).approver == deciders.sponsor
    # Asked again it does not count beside itself, nor beside what it replaces.
    again = changing.resubmit(request_id=newer.pk, by=deciders.csm)
    assert (again.approver, again.total_usd) == (deciders.director, D(9001))
    vote(again, deciders.director)
    assert given() == 9001


def test_less_comes_in_over_no_successor_either(deciders: Cast, ask: Ask, paid: Any) -> None:
    newer = change(paid, deciders.csm, amount=D(9001))
    with pytest.raises(Invalid, match="a smaller amount cannot replace it"):
        change(newer, deciders.csm, amount=D(1))
    deciding.recall(request_id=newer.pk, by=deciders.csm, reason="x")
    with pytest.raises(Invalid, match="a smaller amount cannot replace it"):
        changing.resubmit(request_id=newer.pk, by=deciders.csm, wanted=changing.NewTerms(amount=D(1)))


def test_what_was_carried_out_twice_counts_once(deciders: Cast, ask: Ask, paid: Any) -> None:
    second = vote(change(paid, deciders.csm, amount=D(9500)), deciders.director)
    deciding.seal(request_id=second.pk)
    third = change(second, deciders.csm, amount=D(9600))
    assert granted(deciders.northwind) == 9500
    deciding.recall(request_id=third.pk, by=deciders.csm, reason="x")
    assert granted(deciders.northwind) == 9500


def test_what_was_replaced_before_is_never_carried_out(deciders: Cast, ask: Ask) -> None:
    made = vote(refund(ask, 9000), deciders.director)
    change(made, deciders.csm, amount=D(9001))
    with pytest.raises(Stale):
        deciding.seal(request_id=made.pk)
    assert granted(deciders.northwind) == 0


def test_the_same_renewal_however_it_is_spelt(deciders: Cast, ask: Ask) -> None:
    vote(refund(ask, 9000, renewal="R-2026"), deciders.director)
    assert refund(ask, 9000, account=deciders.elsewhere, renewal="r-2026").approver == deciders.sponsor


# Worse terms ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("Approve 15% for 12 months?", "Approve 14% for 12 months?", True),
        ("Approve 15% for 12 months?", "Approve 14% for 120 months?", False),
        ("Approve 15% for 12 months?", "Approve 15% for 12 months?", True),
        ("Approve 15% for 15 months?", "Approve 14% for 14 months?", False),
        ("Approve 15% for 12 months?", "Approve 13% for 12 months?", False),
        ("Approve 15.0% from 2026-01-01?", "Approve 14.00% from 2026-01-01?", True),
        ("Approve 15,0% now?", "Approve 14% now?", False),
    ],
)
def test_only_the_amount_may_change_in_the_question(deciders: Cast, ask: Ask, old: str, new: str, kept: bool) -> None:
    made = vote(ask(ask=old), deciders.director)
    out = change(made, deciders.csm, amount=D(14), ask=new)
    assert (out.pk == made.pk) is kept


def test_no_other_number_changes_where_there_is_no_amount(deciders: Cast, ask: Ask) -> None:
    made = vote(ask(concession="contract-term", amount=None, ask="Extend until 31.12.2025?"), deciders.director)
    out = change(made, deciders.csm, ask="Extend until 31.12.2035?")
    assert out.pk != made.pk


def test_a_vote_does_not_carry_over_to_other_numbers(deciders: Cast, ask: Ask) -> None:
    rule("legal", "after")
    person("nora", "legal")
    made = ask(ask="Approve 15% for 12 months?")
    vote(made, deciders.director)
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="Typo")
    again = changing.resubmit(
        request_id=made.pk, by=deciders.csm, wanted=changing.NewTerms(ask="Approve 15% for 120 months?")
    )
    assert kinds(again) == ["asked"]


@pytest.mark.parametrize("key", ["account", "concession", "amount", "currency", "unit"])
def test_terms_do_not_say_what_the_request_says(deciders: Cast, ask: Ask, key: str) -> None:
    made = vote(ask(), deciders.director)
    for verb in (lambda: ask(terms={key: "95"}), lambda: change(made, deciders.csm, terms={key: "95"})):
        with pytest.raises(Invalid, match="it is already part of the request") as refused:
            verb()
        assert refused.value.field == "terms"
    made.refresh_from_db()
    assert (made.terms["account"], made.terms["amount"]) == ("Northwind Logistics", "15")


@pytest.mark.parametrize(
    "terms",
    [
        {"a": "\ud800"},
        {"a": "x\0y"},
        {"a\0": "x"},
        {"a": {"b": {"c": {"d": "x"}}}},
        {"give_gets": True},
        {"give_gets": [{"a": 1}]},
        {"a": float("nan")},
        {"a": "x" * 9000},
        {str(number): "x" for number in range(60)},
    ],
)
def test_terms_that_cannot_be_kept_are_refused_and_leave_nothing(deciders: Cast, ask: Ask, terms: Any) -> None:
    made = ask()
    browser = Client(raise_request_exception=False)
    browser.force_login(deciders.csm)
    body = {"version": made.version, "reason": "x", "amount": "14.00", "terms": terms}
    answer = browser.post(f"/api/v1/approvals/{made.pk}/terms/", json.dumps(body), "application/json")
    assert answer.status_code in (400, 422)
    made.refresh_from_db()
    assert (made.version, kinds(made)) == (1, ["asked"])
    assert browser.get(f"/approvals/{made.pk}/terms/").status_code == 200


def test_the_form_keeps_the_terms_nobody_touched(deciders: Cast, ask: Ask) -> None:
    made = vote(ask(terms={"SLA": "99.9%", "sites": ["Lyon", "Kiel"], "net_days": "30"}), deciders.director)
    browser = Client()
    browser.force_login(deciders.csm)
    page = browser.get(f"/approvals/{made.pk}/terms/").context["form"].initial
    sent = {**page, "amount": "14", "reason": "They came down"}
    assert browser.post(f"/approvals/{made.pk}/terms/", sent).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.terms["sites"], made.terms["SLA"]) == ("approved", ["Lyon", "Kiel"], "99.9%")
    sent = {**page, "version": made.version, "wording": page["wording"] + "\namount: 95", "reason": "x"}
    refused = browser.post(f"/approvals/{made.pk}/terms/", sent)
    assert refused.status_code == 422
    assert "it is already part of the request" in refused.content.decode()


def test_an_amount_on_a_yes_or_no_changes_nothing(deciders: Cast, ask: Ask) -> None:
    made = vote(ask(concession="contract-term", amount=None), deciders.director)
    with pytest.raises(Invalid, match="Nothing would change"):
        change(made, deciders.csm, amount=D(5))


def test_less_in_the_same_currency_keeps_the_rate_it_was_granted_at(deciders: Cast, ask: Ask) -> None:
    a_rate("1.0", days_ago=1)
    made = vote(refund(ask, 9000, currency="EUR"), deciders.director)
    a_rate("1.5")
    out = change(made, deciders.csm, amount=D(8000), ask=made.ask)
    assert (out.pk, out.amount_usd, out.total_usd) == (made.pk, D(8000), D(8000))
    (rate,) = (each for each in out.rule["rates"] if each["of"] == "ask")
    assert (rate["rate"], rate["amount"], rate["in_usd"]) == ("1", "8000", "8000.00")


@pytest.mark.parametrize(
    ("amount", "currency", "concession"),
    [("999999999999.99", "EUR", "refund"), ("1e300", "USD", "refund"), ("101", "USD", "discount")],
)
def test_an_amount_nobody_can_mean_is_refused(
    deciders: Cast, ask: Ask, amount: str, currency: str, concession: str
) -> None:
    a_rate("1.5")
    with pytest.raises(Invalid) as refused:
        ask(concession=concession, amount=D(amount), currency=currency)
    assert refused.value.field == "amount"
    assert not ApprovalRequest.objects.exists()


def test_a_band_grants_nothing_that_is_asked_again(deciders: Cast, ask: Ask) -> None:
    """The tier on the old request is the one of then."""
    made = ask(concession="credit", amount=D(600), ask="Credit?", tier="green")
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="Too much")
    again = changing.resubmit(request_id=made.pk, by=deciders.csm, wanted=changing.NewTerms(amount=D(400)))
    assert (again.by_rule, again.state) == (False, "open")


# Who decides ---------------------------------------------------------------------------------------------------------------


def robot(deciders: Cast, *roles: str) -> User:
    made = User.objects.create_user(
        "robot@desk.example", None, name="Robot", kind=User.SERVICE, manager=deciders.committee
    )
    for role in roles:
        made.holdings.create(role=Role.objects.get(slug=role))
    return made


def test_a_service_decides_nothing_and_is_never_asked(deciders: Cast, ask: Ask) -> None:
    service = robot(deciders, "steering-committee", "director")
    made = ask()
    with pytest.raises(NotAllowed, match="A service decides nothing"):
        vote(made, service)
    header = {"Authorization": f"Token {Token.objects.create(user=service).key}"}
    body = json.dumps({"verdict": "approved", "version": 1, "reason": "x"})
    answer = Client(headers=header).post(f"/api/v1/approvals/{made.pk}/decide/", body, "application/json")
    assert answer.status_code in (403, 404)
    deciders.director.holdings.all().delete()
    assert best_holder("director", account=deciders.northwind) is None
    assert ask().approver == deciders.sponsor


def test_nobody_decides_with_the_authority_of_somebody_who_has_left(deciders: Cast, ask: Ask) -> None:
    start = now()
    delegating.make(
        delegating.StandIn(to=deciders.outsider, starts_at=start, ends_at=start + timedelta(days=1)),
        user=deciders.director,
        by=deciders.director,
    )
    stood_in, handed = ask(), ask()
    delegating.delegate(request_id=handed.pk, by=deciders.director, to=deciders.lead, reason="Away")
    deciders.director.is_active = False
    deciders.director.save()
    for made, by in ((stood_in, deciders.outsider), (handed, deciders.lead)):
        with pytest.raises(NotAllowed, match="Lena Ortiz does not hold the role"):
            vote(made, by)


def test_a_seat_in_hand_takes_no_authority_of_ones_own_away(deciders: Cast, ask: Ask) -> None:
    """Priya hands it on; what he may grant is used up by then, what Dana may grant is not."""
    made, first = (refund(ask, amount, requester=deciders.ae) for amount in (400, 300))
    delegating.delegate(request_id=made.pk, by=deciders.csm, to=deciders.sponsor, reason="Away")
    vote(first, deciders.csm)
    made.refresh_from_db()
    right = for_user(made, deciders.sponsor, now())
    assert (right.may_decide, right.override, right.on_behalf_of) == (True, True, None)
    assert vote(made, deciders.sponsor, reason="It has to be").state == "approved"


def test_a_csm_decides_for_their_own_accounts_only(deciders: Cast, ask: Ask) -> None:
    made = ask(amount=D(2), requester=deciders.ae)
    assert made.approver == deciders.csm
    delegating.delegate(request_id=made.pk, by=deciders.csm, to=deciders.lead, reason="Away")
    other = ask(amount=D(9), requester=deciders.ae)
    deciders.lead.holdings.all().delete()
    deciders.lead.holdings.create(role=Role.objects.get(slug="csm"))
    assert other.approver == deciders.lead
    assert not for_user(other, User.objects.get(pk=deciders.lead.pk), now()).may_decide


def test_whoever_words_the_terms_decides_under_no_other_name(deciders: Cast, ask: Ask) -> None:
    made = ask()
    person("marcus+boss", "executive-sponsor")
    change(made, deciders.ae, amount=D(14))
    made.refresh_from_db()
    boss = User.objects.get(email="marcus+boss@desk.example")
    assert not for_user(made, boss, now()).may_decide


def test_no_ring_of_people_who_stand_in_for_one_another(deciders: Cast) -> None:
    start = now()
    span = {"starts_at": start, "ends_at": start + timedelta(days=1)}
    delegating.make(delegating.StandIn(to=deciders.sponsor, **span), user=deciders.director, by=deciders.director)
    delegating.make(delegating.StandIn(to=deciders.committee, **span), user=deciders.sponsor, by=deciders.sponsor)
    with pytest.raises(Invalid, match="lead back to you") as refused:
        delegating.make(
            delegating.StandIn(to=deciders.director, **span), user=deciders.committee, by=deciders.committee
        )
    assert refused.value.field == "to"
    later = {"starts_at": start + timedelta(days=2), "ends_at": start + timedelta(days=3)}
    delegating.make(delegating.StandIn(to=deciders.director, **later), user=deciders.committee, by=deciders.committee)


@pytest.mark.parametrize("year", [1, 2201])
def test_times_far_away_are_refused(deciders: Cast, ask: Ask, client: Client, year: int) -> None:
    far = datetime(year, 1, 1, tzinfo=UTC)
    start, end = sorted((far, now()))
    with pytest.raises(Invalid):
        delegating.make(
            delegating.StandIn(to=deciders.sponsor, starts_at=start, ends_at=end),
            user=deciders.director,
            by=deciders.director,
        )
    with pytest.raises(Invalid):
        ask(deadline=far)
    client.force_login(deciders.admin)
    assert client.get("/api/v1/overrides/", {"end": f"{year:04d}-01-01T00:00:00Z"}).status_code == 422
