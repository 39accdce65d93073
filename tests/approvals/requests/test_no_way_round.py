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
from tests.approvals.requests.test_chains import kinds, lawyer, person, plain_matrix, rule, vote
from tests.support.deciding import granted

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
def paid(world: Any, ask: Ask) -> ApprovalRequest:
    """9,000 USD, granted by Lena, whose limit is 10,000, and carried out."""
    made = vote(refund(ask, 9000), world.lena)
    deciding.seal(request_id=made.pk)
    made.refresh_from_db()
    return made


def a_rate(usd: str, days_ago: int = 0) -> None:
    """EUR in USD from that day on."""
    day = now().date() - timedelta(days=days_ago)
    ExchangeRate.objects.update_or_create(currency="EUR", on=day, defaults={"usd": D(usd)})


# What was given stays given ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [changing.change_terms, changing.supersede])
def test_less_does_not_take_the_place_of_what_was_carried_out(world: Any, ask: Ask, paid: Any, verb: Any) -> None:
    less = changing.NewTerms(amount=D(1), ask="Refund them?")
    with pytest.raises(Invalid, match="a smaller amount cannot replace it"):
        verb(request_id=paid.pk, by=world.marcus, version=paid.version, reason="x", wanted=less)
    assert refund(ask, 9000).approver == world.dana


def test_more_in_return_may_still_come(world: Any, paid: ApprovalRequest) -> None:
    out = change(paid, world.marcus, terms={"give_gets": ["A case study"]})
    assert (out.pk, out.state) == (paid.pk, "approved")


def test_what_was_carried_out_counts_until_what_replaces_it_is_granted(world: Any, ask: Ask, paid: Any) -> None:
    def given() -> Decimal:
        return granted(world.northwind)

    newer = change(paid, world.marcus, amount=D(9001))
    assert given() == 9000
    deciding.recall(request_id=newer.pk, by=world.marcus, reason="Never mind")
    assert given() == 9000
    assert refund(ask, 9000).approver == world.dana
    # Asked again it does not count beside itself, nor beside what it replaces.
    again = changing.resubmit(request_id=newer.pk, by=world.marcus)
    assert (again.approver, again.total_usd) == (world.lena, D(9001))
    vote(again, world.lena)
    assert given() == 9001


def test_less_comes_in_over_no_successor_either(world: Any, ask: Ask, paid: Any) -> None:
    newer = change(paid, world.marcus, amount=D(9001))
    with pytest.raises(Invalid, match="a smaller amount cannot replace it"):
        change(newer, world.marcus, amount=D(1))
    deciding.recall(request_id=newer.pk, by=world.marcus, reason="x")
    with pytest.raises(Invalid, match="a smaller amount cannot replace it"):
        changing.resubmit(request_id=newer.pk, by=world.marcus, wanted=changing.NewTerms(amount=D(1)))


def test_what_was_carried_out_twice_counts_once(world: Any, ask: Ask, paid: Any) -> None:
    second = vote(change(paid, world.marcus, amount=D(9500)), world.lena)
    deciding.seal(request_id=second.pk)
    third = change(second, world.marcus, amount=D(9600))
    assert granted(world.northwind) == 9500
    deciding.recall(request_id=third.pk, by=world.marcus, reason="x")
    assert granted(world.northwind) == 9500


def test_what_was_replaced_before_is_never_carried_out(world: Any, ask: Ask) -> None:
    made = vote(refund(ask, 9000), world.lena)
    change(made, world.marcus, amount=D(9001))
    with pytest.raises(Stale):
        deciding.seal(request_id=made.pk)
    assert granted(world.northwind) == 0


def test_the_same_renewal_however_it_is_spelt(world: Any, ask: Ask) -> None:
    vote(refund(ask, 9000, renewal="R-2026"), world.lena)
    assert refund(ask, 9000, account=world.brightline, renewal="r-2026").approver == world.dana


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
def test_only_the_amount_may_change_in_the_question(world: Any, ask: Ask, old: str, new: str, kept: bool) -> None:
    made = vote(ask(ask=old), world.lena)
    out = change(made, world.marcus, amount=D(14), ask=new)
    assert (out.pk == made.pk) is kept


def test_no_other_number_changes_where_there_is_no_amount(world: Any, ask: Ask) -> None:
    made = vote(ask(concession="contract-term", amount=None, ask="Extend until 31.12.2025?"), world.lena)
    out = change(made, world.marcus, ask="Extend until 31.12.2035?")
    assert out.pk != made.pk


def test_a_vote_does_not_carry_over_to_other_numbers(world: Any, ask: Ask) -> None:
    rule("legal", "after")
    person("nora", "legal")
    made = ask(ask="Approve 15% for 12 months?")
    vote(made, world.lena)
    deciding.recall(request_id=made.pk, by=world.marcus, reason="Typo")
    again = changing.resubmit(
        request_id=made.pk, by=world.marcus, wanted=changing.NewTerms(ask="Approve 15% for 120 months?")
    )
    assert kinds(again) == ["asked"]


@pytest.mark.parametrize("key", ["account", "concession", "amount", "currency", "unit"])
def test_terms_do_not_say_what_the_request_says(world: Any, ask: Ask, key: str) -> None:
    made = vote(ask(), world.lena)
    for verb in (lambda: ask(terms={key: "95"}), lambda: change(made, world.marcus, terms={key: "95"})):
        with pytest.raises(Invalid, match="it is already part of the request") as refused:
            verb()
        assert refused.value.field == "terms"
    made.refresh_from_db()
    assert (made.terms["account"], made.terms["amount"]) == ("Northwind", "15")


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
def test_terms_that_cannot_be_kept_are_refused_and_leave_nothing(world: Any, ask: Ask, terms: Any) -> None:
    made = ask()
    browser = Client(raise_request_exception=False)
    browser.force_login(world.marcus)
    body = {"version": made.version, "reason": "x", "amount": "14.00", "terms": terms}
    answer = browser.post(f"/api/v1/approvals/{made.pk}/terms/", json.dumps(body), "application/json")
    assert answer.status_code in (400, 422)
    made.refresh_from_db()
    assert (made.version, kinds(made)) == (1, ["asked"])
    assert browser.get(f"/approvals/{made.pk}/terms/").status_code == 200


def test_the_form_keeps_the_terms_nobody_touched(world: Any, ask: Ask) -> None:
    made = vote(ask(terms={"SLA": "99.9%", "sites": ["Lyon", "Kiel"], "net_days": "30"}), world.lena)
    browser = Client()
    browser.force_login(world.marcus)
    page = browser.get(f"/approvals/{made.pk}/terms/").context["form"].initial
    sent = {**page, "amount": "14", "reason": "They came down"}
    assert browser.post(f"/approvals/{made.pk}/terms/", sent).status_code == 302
    made.refresh_from_db()
    assert (made.state, made.terms["sites"], made.terms["SLA"]) == ("approved", ["Lyon", "Kiel"], "99.9%")
    sent = {**page, "version": made.version, "wording": page["wording"] + "\namount: 95", "reason": "x"}
    refused = browser.post(f"/approvals/{made.pk}/terms/", sent)
    assert refused.status_code == 422
    assert "it is already part of the request" in refused.content.decode()


def test_an_amount_on_a_yes_or_no_changes_nothing(world: Any, ask: Ask) -> None:
    made = vote(ask(concession="contract-term", amount=None), world.lena)
    with pytest.raises(Invalid, match="Nothing would change"):
        change(made, world.marcus, amount=D(5))


def test_less_in_the_same_currency_keeps_the_rate_it_was_granted_at(world: Any, ask: Ask) -> None:
    a_rate("1.0", days_ago=1)
    made = vote(refund(ask, 9000, currency="EUR"), world.lena)
    a_rate("1.5")
    out = change(made, world.marcus, amount=D(8000), ask=made.ask)
    assert (out.pk, out.amount_usd, out.total_usd) == (made.pk, D(8000), D(8000))
    (rate,) = (each for each in out.rule["rates"] if each["of"] == "ask")
    assert (rate["rate"], rate["amount"], rate["in_usd"]) == ("1", "8000", "8000.00")


@pytest.mark.parametrize(
    ("amount", "currency", "concession"),
    [("999999999999.99", "EUR", "refund"), ("1e300", "USD", "refund"), ("101", "USD", "discount")],
)
def test_an_amount_nobody_can_mean_is_refused(
    world: Any, ask: Ask, amount: str, currency: str, concession: str
) -> None:
    a_rate("1.5")
    with pytest.raises(Invalid) as refused:
        ask(concession=concession, amount=D(amount), currency=currency)
    assert refused.value.field == "amount"
    assert not ApprovalRequest.objects.exists()


def test_a_band_grants_nothing_that_is_asked_again(world: Any, ask: Ask) -> None:
    """The tier on the old request is the one of then."""
    made = ask(concession="credit", amount=D(600), ask="Credit?", tier="green")
    deciding.recall(request_id=made.pk, by=world.marcus, reason="Too much")
    again = changing.resubmit(request_id=made.pk, by=world.marcus, wanted=changing.NewTerms(amount=D(400)))
    assert (again.by_rule, again.state) == (False, "open")


# Who decides ---------------------------------------------------------------------------------------------------------------


def robot(world: Any, *roles: str) -> User:
    made = User.objects.create_user("robot@desk.example", None, name="Robot", kind=User.SERVICE, manager=world.ruth)
    for role in roles:
        made.holdings.create(role=Role.objects.get(slug=role))
    return made


def test_a_service_decides_nothing_and_is_never_asked(world: Any, ask: Ask) -> None:
    service = robot(world, "steering-committee", "director")
    made = ask()
    with pytest.raises(NotAllowed, match="A service decides nothing"):
        vote(made, service)
    header = {"Authorization": f"Token {Token.objects.create(user=service).key}"}
    body = json.dumps({"verdict": "approved", "version": 1, "reason": "x"})
    answer = Client(headers=header).post(f"/api/v1/approvals/{made.pk}/decide/", body, "application/json")
    assert answer.status_code in (403, 404)
    world.lena.holdings.all().delete()
    assert best_holder("director", account=world.northwind) is None
    assert ask().approver == world.dana


def test_nobody_decides_with_the_authority_of_somebody_who_has_left(world: Any, ask: Ask) -> None:
    start = now()
    delegating.make(
        delegating.StandIn(to=world.omar, starts_at=start, ends_at=start + timedelta(days=1)),
        user=world.lena,
        by=world.lena,
    )
    stood_in, handed = ask(), ask()
    delegating.delegate(request_id=handed.pk, by=world.lena, to=world.tina, reason="Away")
    world.lena.is_active = False
    world.lena.save()
    for made, by in ((stood_in, world.omar), (handed, world.tina)):
        with pytest.raises(NotAllowed, match="Lena Ortiz does not hold the role"):
            vote(made, by)


def test_a_seat_in_hand_takes_no_authority_of_ones_own_away(world: Any, ask: Ask) -> None:
    """Marcus hands it on; what he may grant is used up by then, what Dana may grant is not."""
    made, first = (refund(ask, amount, requester=world.priya) for amount in (400, 300))
    delegating.delegate(request_id=made.pk, by=world.marcus, to=world.dana, reason="Away")
    vote(first, world.marcus)
    made.refresh_from_db()
    right = for_user(made, world.dana, now())
    assert (right.may_decide, right.override, right.on_behalf_of) == (True, True, None)
    assert vote(made, world.dana, reason="It has to be").state == "approved"


def test_a_csm_decides_for_their_own_accounts_only(world: Any, ask: Ask) -> None:
    made = ask(amount=D(2), requester=world.priya)
    assert made.approver == world.marcus
    delegating.delegate(request_id=made.pk, by=world.marcus, to=world.tina, reason="Away")
    other = ask(amount=D(9), requester=world.priya)
    world.tina.holdings.all().delete()
    world.tina.holdings.create(role=Role.objects.get(slug="csm"))
    assert other.approver == world.tina
    assert not for_user(other, User.objects.get(pk=world.tina.pk), now()).may_decide


def test_whoever_words_the_terms_decides_under_no_other_name(world: Any, ask: Ask) -> None:
    made = ask()
    person("priya+boss", "executive-sponsor")
    change(made, world.priya, amount=D(14))
    made.refresh_from_db()
    boss = User.objects.get(email="priya+boss@desk.example")
    assert not for_user(made, boss, now()).may_decide


def test_no_ring_of_people_who_stand_in_for_one_another(world: Any) -> None:
    start = now()
    span = {"starts_at": start, "ends_at": start + timedelta(days=1)}
    delegating.make(delegating.StandIn(to=world.dana, **span), user=world.lena, by=world.lena)
    delegating.make(delegating.StandIn(to=world.ruth, **span), user=world.dana, by=world.dana)
    with pytest.raises(Invalid, match="lead back to you") as refused:
        delegating.make(delegating.StandIn(to=world.lena, **span), user=world.ruth, by=world.ruth)
    assert refused.value.field == "to"
    later = {"starts_at": start + timedelta(days=2), "ends_at": start + timedelta(days=3)}
    delegating.make(delegating.StandIn(to=world.lena, **later), user=world.ruth, by=world.ruth)


@pytest.mark.parametrize("year", [1, 2201])
def test_times_far_away_are_refused(world: Any, ask: Ask, client: Client, year: int) -> None:
    far = datetime(year, 1, 1, tzinfo=UTC)
    start, end = sorted((far, now()))
    with pytest.raises(Invalid):
        delegating.make(delegating.StandIn(to=world.dana, starts_at=start, ends_at=end), user=world.lena, by=world.lena)
    with pytest.raises(Invalid):
        ask(deadline=far)
    client.force_login(world.aisha)
    assert client.get("/api/v1/overrides/", {"end": f"{year:04d}-01-01T00:00:00Z"}).status_code == 422
