"""What was split goes up: over the family, the renewal, requesters and currencies; and what a role may grant in a quarter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Account, ExchangeRate
from approvals.matrix.authority import band_for, who_approves
from approvals.matrix.totals import Ask, ask_total, caps_of, family_ids, quarter, root_id
from approvals.models import ApprovalRequest, AuthorityVersion, QuarterCap
from approvals.requests import decide as deciding
from ledger.errors import Invalid, NotAllowed
from ledger.format import day as written
from ledger.now import now
from tests.approvals.granted import granted
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

D = Decimal


@pytest.fixture
def family(deciders: Cast) -> Any:
    """Northwind Group above Northwind, Northwind Labs below it, Northwind Air beside."""
    make = Account.objects.create
    deciders.group = make(external_id="NW-0", name="Northwind Group", arr=D(1), segment="enterprise", csm=deciders.csm)
    deciders.northwind.parent = deciders.group
    deciders.northwind.save()
    deciders.labs = make(external_id="NW-2", name="Northwind Labs", parent=deciders.northwind, csm=deciders.csm)
    deciders.air = make(external_id="NW-3", name="Northwind Air", parent=deciders.group, csm=deciders.csm)
    return deciders


def refund(ask: Any, amount: str | int, decided_by: Any = None, **values: Any) -> ApprovalRequest:
    """A refund, decided when somebody is named."""
    made: ApprovalRequest = ask(concession="refund", amount=D(amount), **values)
    if decided_by:
        deciding.decide(request_id=made.pk, by=decided_by, verdict="approved", version=made.version)
        made.refresh_from_db()
    return made


def test_the_family_is_everybody_under_one_head(family: Any) -> None:
    everybody = {each.pk for each in (family.group, family.northwind, family.labs, family.air)}
    for account in (family.group, family.northwind, family.labs, family.air):
        assert root_id(account) == family.group.pk
        assert family_ids(account) == everybody
    assert family_ids(family.elsewhere) == {family.elsewhere.pk}


def test_a_circle_of_parents_has_one_head_and_ends(family: Any) -> None:
    Account.objects.filter(pk=family.group.pk).update(parent=family.labs)
    accounts = Account.objects.filter(pk__in=[family.group.pk, family.northwind.pk, family.labs.pk])
    heads = {root_id(each) for each in Account.objects.all() if each.pk != family.elsewhere.pk}
    assert heads == {min(each.pk for each in accounts)}


@pytest.mark.parametrize("second", ["group", "northwind", "labs", "air"])
def test_what_is_split_over_the_family_goes_up(family: Any, ask: Any, second: str) -> None:
    refund(ask, 6000, family.director)
    made = refund(ask, 6000, account=getattr(family, second), requester=family.ae)
    assert made.approver == family.sponsor
    assert D(made.rule["granted"]) == 6000
    assert D(made.rule["others"]) == (0 if second == "northwind" else 6000)


def test_another_family_is_not_counted_unless_it_is_the_same_renewal(family: Any, ask: Any) -> None:
    refund(ask, 6000, family.director, renewal="R-77")
    assert refund(ask, 6000, account=family.elsewhere, requester=family.outsider).approver == family.director
    same = refund(ask, 6000, account=family.elsewhere, requester=family.outsider, renewal="R-77")
    assert same.approver == family.sponsor
    assert "all of it to accounts of the same group or on the same renewal" in same.rule["sentence"]


def test_currencies_add_up_in_usd_as_they_were_stored(family: Any, ask: Any) -> None:
    ExchangeRate.objects.create(currency="EUR", on=now().date(), usd=D("1.5"))
    refund(ask, 4000, family.director, currency="EUR", account=family.labs)
    ExchangeRate.objects.filter(currency="EUR").update(usd=D("0.5"))
    assert granted(family.air) == D("6000.00")
    made = refund(ask, "4000.01", requester=family.ae)
    assert (made.approver, made.rule["total"]) == (family.sponsor, "10000.01")
    exact = who_approves(Ask(concession="refund", amount=D(4000), currency="USD", account=family.group))
    assert exact.person == family.director


def test_the_rate_its_day_and_both_amounts_are_kept(deciders: Cast, ask: Any) -> None:
    day = now().date() - timedelta(days=3)
    ExchangeRate.objects.create(currency="EUR", on=day, usd=D("1.25"))
    made = refund(ask, 8000, currency="EUR")
    rate = {"of": "ask", "currency": "EUR", "amount": "8000", "rate": "1.25", "on": str(day), "in_usd": "10000.00"}
    assert made.rule["rates"] == [rate]
    assert f"€8,000 counts as $10,000, by the rate 1.25 of {written(day)}." in made.rule["sentence"]


def test_a_limit_in_another_currency_names_its_rate(deciders: Cast, ask: Any) -> None:
    version = AuthorityVersion.objects.get()
    version.limits.filter(concession__slug="refund", role__slug="director").update(up_to=D(9000), currency="EUR")
    found = who_approves(Ask(concession="refund", amount=D(9720), currency="USD", account=deciders.northwind))
    assert (found.person, found.limit_text) == (deciders.director, "€9,000")
    assert [(rate["of"], rate["in_usd"], rate["on"]) for rate in found.rule["rates"]] == [
        ("limit", "9720.00", "2015-01-01")
    ]
    beyond = who_approves(Ask(concession="refund", amount=D("9720.01"), currency="USD", account=deciders.northwind))
    assert beyond.person == deciders.sponsor


def test_a_currency_without_a_rate_says_what_to_do(deciders: Cast) -> None:
    with pytest.raises(Invalid, match="Use another currency, or ask an administrator to add the rate") as refused:
        who_approves(Ask(concession="refund", amount=D(1), currency="XXA", account=deciders.northwind))
    assert refused.value.field == "currency"


def test_the_window_of_the_version_ends_to_the_second(deciders: Cast, ask: Any) -> None:
    AuthorityVersion.objects.update(window_days=10)
    made = refund(ask, 6000, deciders.director)
    assert made.decided_at
    window = timedelta(days=10)
    assert granted(deciders.northwind, at=made.decided_at + window - timedelta(seconds=1)) == 6000
    assert granted(deciders.northwind, at=made.decided_at + window) == 0
    second = refund(ask, 6000)
    assert "granted to this account in the last 10 days" in second.rule["sentence"]


def test_replaced_requests_and_the_one_that_is_replaced_do_not_count_twice(deciders: Cast, ask: Any) -> None:
    made = refund(ask, 6000, deciders.director)
    assert granted(deciders.northwind) == 6000
    assert granted(deciders.northwind, without=[made.pk]) == 0
    ApprovalRequest.objects.filter(pk=made.pk).update(state=ApprovalRequest.REPLACED)
    assert granted(deciders.northwind) == 0


def test_two_open_halves_over_the_family_are_added_up_when_decided(family: Any, ask: Any) -> None:
    one, two = refund(ask, 6000, account=family.labs), refund(ask, 6000, account=family.air)
    deciding.decide(request_id=one.pk, by=family.director, verdict="approved", version=one.version)
    with pytest.raises(NotAllowed, match="total is \\$12,000 with the \\$6,000 granted in the last 90 days"):
        deciding.decide(request_id=two.pk, by=family.director, verdict="approved", version=two.version)
    two.refresh_from_db()
    assert two.is_open


def test_a_band_grants_only_what_is_inside_with_the_family_added_up(family: Any, ask: Any) -> None:
    first = ask(concession="credit", amount=D(400), tier="green", account=family.labs)
    assert first.by_rule
    assert band_for(ask_total(Ask("credit", D(100), "USD", family.air), now()), "green")
    assert not band_for(ask_total(Ask("credit", D("100.01"), "USD", family.air), now()), "green")
    assert not ask(concession="credit", amount=D(101), tier="green", account=family.air).by_rule


def test_a_band_tells_the_time_saved_against_the_usual_chain(deciders: Cast, ask: Any) -> None:
    start = now()
    by_deadline = ask(concession="credit", amount=D(10), tier="green", deadline=start + timedelta(hours=6))
    assert by_deadline.rule["usual"] == "deadline"
    assert abs(by_deadline.rule["saved_seconds"] - 6 * 3600) <= 1
    for hours in (1, 2, 9):
        with time_machine.travel(start, tick=False):
            made = ask(
                concession="credit", amount=D(5000), account=deciders.elsewhere, deadline=start + timedelta(days=1)
            )
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            deciding.decide(
                request_id=made.pk,
                by=made.approver,
                verdict="declined",
                version=made.version,
                words=deciding.Words(reason="No"),
            )
    with time_machine.travel(start + timedelta(hours=10), tick=False):
        deadline = now() + timedelta(hours=1)
        saved = ask(concession="credit", amount=D(10), tier="green", account=deciders.elsewhere, deadline=deadline)
    assert (saved.rule["saved_seconds"], saved.rule["usual"]) == (2 * 3600, "median")
    entry = saved.log.get(kind="approved")
    assert entry.facts == {"saved_seconds": 7200, "usual": "median"}
    client = Client()
    client.force_login(deciders.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(f"/approvals/{saved.pk}/").content.decode()
    assert "Saved 2h compared with the usual time when people decide." in " ".join(page.split())


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ((2026, 1, 1), (2026, 1), (2026, 4)),
        ((2026, 3, 31), (2026, 1), (2026, 4)),
        ((2026, 4, 1), (2026, 4), (2026, 7)),
        ((2026, 12, 31), (2026, 10), (2027, 1)),
    ],
)
def test_quarters_are_those_of_the_calendar(moment: Any, start: Any, end: Any) -> None:
    at = datetime(*moment, 12, tzinfo=UTC)
    assert quarter(at) == (datetime(*start, 1, tzinfo=UTC), datetime(*end, 1, tzinfo=UTC))


@pytest.fixture
def capped(deciders: Cast) -> QuarterCap:
    """The director may refund 12,000 a quarter."""
    version = AuthorityVersion.objects.get()
    limit = version.limits.get(role__slug="director", concession__slug="refund")
    return QuarterCap.objects.create(version=version, role=limit.role, concession=limit.concession, up_to=D(12_000))


def test_beyond_its_quarter_a_role_does_not_cover_and_the_next_is_asked(deciders: Cast, ask: Any, capped: Any) -> None:
    refund(ask, 8000, deciders.director)
    fits = refund(ask, 4000, account=deciders.elsewhere, requester=deciders.outsider)
    assert (fits.approver, fits.rule["cap"]) == (deciders.director, "$8,000 of $12,000 used this quarter")
    beyond = refund(ask, "4000.01", account=deciders.elsewhere, requester=deciders.outsider)
    assert beyond.approver == deciders.sponsor
    assert "Director has $8,000 of $12,000 used this quarter." in beyond.rule["sentence"]


def test_a_cap_reached_meanwhile_is_told_and_the_decision_undone(deciders: Cast, ask: Any, capped: Any) -> None:
    one, two = refund(ask, 8000), refund(ask, 8000, account=deciders.elsewhere, requester=deciders.outsider)
    deciding.decide(request_id=one.pk, by=deciders.director, verdict="approved", version=one.version)
    with pytest.raises(NotAllowed, match="Director has \\$8,000 of \\$12,000 used this quarter"):
        deciding.decide(request_id=two.pk, by=deciders.director, verdict="approved", version=two.version)
    two.refresh_from_db()
    assert two.is_open


def test_the_quarter_counts_for_the_role_that_decided_and_begins_anew(deciders: Cast, ask: Any, capped: Any) -> None:
    made = refund(ask, 8000)
    deciding.decide(
        request_id=made.pk,
        by=deciders.sponsor,
        verdict="approved",
        version=made.version,
        words=deciding.Words(reason="Urgent"),
    )
    version, ask_ = AuthorityVersion.objects.get(), Ask("refund", D(1), "USD", deciders.northwind)
    assert caps_of(ask_total(ask_, now()))["director"].used == 0
    first = datetime(2026, 7, 1, tzinfo=UTC)
    ApprovalRequest.objects.filter(pk=made.pk).update(rule={**made.rule, "decided_role": "director"}, decided_at=first)
    for at, used in [
        (first, 8000),
        (datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC), 8000),
        (datetime(2026, 10, 1, tzinfo=UTC), 0),
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), 0),
    ]:
        assert caps_of(ask_total(ask_, at, version=version))["director"].used == used


def test_dated_limits_hold_by_the_day_of_the_decision(deciders: Cast, ask: Any) -> None:
    today = now().date()
    version = AuthorityVersion.objects.get()
    version.limits.filter(concession__slug="refund", role__slug="director").update(
        effective_to=today + timedelta(days=1)
    )
    made = refund(ask, 8000, deadline=now() + timedelta(days=3))
    assert made.approver == deciders.director
    with (
        time_machine.travel(now() + timedelta(days=1), tick=False),
        pytest.raises(NotAllowed, match="outside your authority"),
    ):
        deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=made.version)


@pytest.mark.parametrize(
    ("values", "person"),
    [({"region": "EMEA"}, "director"), ({"region": "APAC"}, "sponsor"), ({"region": ""}, "sponsor")],
)
def test_conditions_of_region_and_currency_reach_the_ask(deciders: Cast, values: dict[str, str], person: str) -> None:
    version = AuthorityVersion.objects.get()
    director = version.limits.filter(concession__slug="refund", role__slug="director")
    director.update(region="EMEA", asked_in="EUR", up_to=D(50_000))
    Account.objects.filter(pk=deciders.northwind.pk).update(**values)
    deciders.northwind.refresh_from_db()
    found = who_approves(Ask(concession="refund", amount=D(20_000), currency="EUR", account=deciders.northwind))
    assert found.person == getattr(deciders, person)
    in_usd = who_approves(Ask(concession="refund", amount=D(20_000), currency="USD", account=deciders.northwind))
    assert in_usd.person == deciders.sponsor
