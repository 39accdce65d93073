"""A decision without a concession: who may post it, what it ends, and how the figures count it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import closing
from escalations.cases import requests as asking
from escalations.cases.decisions import Ruling, decide
from escalations.models import Clock, Escalation, Event
from ledger import chain
from ledger.errors import Invalid, NotAllowed
from ledger.now import now
from reports.facts.refresh import refresh
from reports.models import CaseFact
from reports.queries import kpis
from reports.queries.scope import Scope
from reports.rules import kpis as rules
from reports.rules.periods import read
from tests.escalations.cases.builders import accepted, asked, briefed, opened
from tests.support.cast import Cast

VIP: dict[str, Any] = {"issue_type": "vip-at-risk", "concession": "", "amount": None}
HOLD = Ruling("We hold the price.", "The margin is thin.", "Hold it, or give 5%.")


def authority(case: Escalation) -> User:
    """Who decides on the case."""
    return case.people.select_related("user").get(duty="authority").user


def test_it_ends_the_decision_clock_and_stands_in_the_log(cast: Cast) -> None:
    case = accepted(cast, **VIP)
    event = decide(case_id=case.pk, by=authority(case), ruling=HOLD)
    case.refresh_from_db()
    assert event.kind == Event.NOTE_DECISION
    assert event.text is not None
    assert all(words in event.text.body for words in (HOLD.decision, HOLD.rationale, HOLD.options))
    assert case.clocks.get(kind=states.DECISION).state == Clock.MET
    assert (case.decided_at, case.decided_level) == (event.at, "executive")
    assert case.people.get(duty="authority").accepted_at is not None
    assert list(chain.breaks_in(case, case.events.order_by("seq"))) == []


def test_carrying_it_out_is_the_next_step(cast: Cast, client: Client) -> None:
    case = accepted(cast, **VIP)
    client.force_login(cast.sponsor, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "Next: carry out the decision" not in client.get(f"/escalations/{case.key}/").content.decode()
    decide(case_id=case.pk, by=authority(case), ruling=HOLD)
    assert "Next: carry out the decision" in client.get(f"/escalations/{case.key}/").content.decode()


def test_only_the_decision_authority_decides(cast: Cast) -> None:
    case = accepted(cast, **VIP)
    for person in (cast.csm, cast.lead, cast.admin):
        with pytest.raises(NotAllowed, match="the decision authority"):
            decide(case_id=case.pk, by=person, ruling=HOLD)
    assert case.clocks.get(kind=states.DECISION).state == Clock.RUNNING


@pytest.mark.parametrize(
    ("ruling", "field"),
    [
        (Ruling("", "Thin"), "text"),
        (Ruling("Hold", " "), "rationale"),
        (Ruling("\u200b", "Thin"), "text"),
        (Ruling("Hold", "\u3164"), "rationale"),
    ],
)
def test_a_decision_and_its_reason_are_needed(cast: Cast, ruling: Ruling, field: str) -> None:
    case = opened(cast, **VIP)
    with pytest.raises(Invalid) as refused:
        decide(case_id=case.pk, by=authority(case), ruling=ruling)
    assert refused.value.field == field


def test_an_open_request_is_decided_as_a_request(cast: Cast) -> None:
    case = asked(cast)
    with pytest.raises(Invalid, match="A request waits for a decision"):
        decide(case_id=case.pk, by=authority(case), ruling=HOLD)


def test_a_concession_needs_a_request(cast: Cast) -> None:
    case = accepted(cast)
    with pytest.raises(Invalid, match="asks for a concession"):
        decide(case_id=case.pk, by=authority(case), ruling=HOLD)


def test_a_person_whose_role_has_ended_decides_no_more(cast: Cast) -> None:
    case = accepted(cast, **VIP)
    person = authority(case)
    person.holdings.update(ends=now())
    with pytest.raises(NotAllowed, match="You hold no role now"):
        decide(case_id=case.pk, by=User.objects.get(pk=person.pk), ruling=HOLD)
    assert case.clocks.get(kind=states.DECISION).state == Clock.RUNNING


def without_executive() -> tuple[int, float | None]:
    """The cases counted in the last month, and the share resolved without an executive."""
    period = read(
        {"period": "custom", "from": f"{now() - timedelta(days=30):%Y-%m-%d}", "to": f"{now():%Y-%m-%d}"}, now()
    )
    figure = kpis.figures(Scope(), period)[rules.WITHOUT]
    return figure.cases, figure.value


def resolve(case: Escalation) -> None:
    """Carry on to the end without an approval."""
    assert case.owner is not None
    closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="No concession")
    closing.resolve(case_id=case.pk, by=case.owner, ending=closing.Ending("saved", "Sponsor left", "Met them.", True))
    refresh([case.pk])


@pytest.mark.both_databases
def test_six_vip_cases_decided_by_a_sponsor_are_not_resolved_without_an_executive(cast: Cast) -> None:
    for _ in range(6):
        case = accepted(cast, **VIP)
        decide(case_id=case.pk, by=cast.sponsor, ruling=HOLD)
        resolve(Escalation.objects.get(pk=case.pk))
    assert without_executive() == (6, 0)


@pytest.mark.both_databases
def test_a_posted_decision_counts_beside_those_of_requests(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    deciding.decide(
        request_id=made.pk, by=cast.director, verdict="declined", version=made.version, words=deciding.Words("No")
    )
    case.people.filter(duty="authority").update(user=cast.sponsor)
    decide(case_id=case.pk, by=cast.sponsor, ruling=HOLD)
    resolve(Escalation.objects.get(pk=case.pk))
    assert CaseFact.objects.get(case=case).decided == ",director,executive,"
    assert without_executive() == (1, 0)


@pytest.mark.both_databases
def test_a_concession_that_nobody_decided_is_not_skipped(cast: Cast, client: Client) -> None:
    case = briefed(cast)
    assert case.owner is not None
    client.force_login(case.owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    here = f"/escalations/{case.key}/"
    with pytest.raises(Invalid, match="nobody has decided"):
        closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Small enough")
    answer = client.post(f"{here}execute/", {"reason": "Small enough", "once": "a"})
    assert answer.status_code == 422
    assert "Request an approval." in answer.content.decode()
    assert f'href="{here}execute/"' not in client.get(here).content.decode()
    wanted = asking.CaseAsk("discount", Decimal(18), "USD", "Approve a discount of 18 percent?")
    made = asking.ask(wanted, case_id=case.pk, by=cast.csm)
    with pytest.raises(Invalid, match="Recall it first"):
        closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Small enough")
    deciding.recall(request_id=made.pk, by=cast.csm, reason="They signed at list price")
    case = closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="Nothing is conceded any more")
    assert case.state == states.EXECUTING


def test_a_declined_concession_may_be_skipped(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    seat = next(each for each in made.all_seats() if each.waits)
    words = deciding.Words(reason="Not now")
    deciding.decide(request_id=made.pk, by=seat.person, verdict="declined", version=made.version, words=words)
    case = Escalation.objects.get(pk=case.pk)
    assert case.owner is not None
    assert closing.skip_to_execute(case_id=case.pk, by=case.owner, reason="They stay anyway").state == states.EXECUTING
