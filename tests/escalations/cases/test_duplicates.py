"""Two cases about one issue become one: thread, mail, people and chains follow."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from escalations.cases import closing, decisions, thread, tracker, which_case
from escalations.cases.duplicates import original_of
from escalations.models import Escalation
from ledger.errors import Invalid, NotAllowed
from ledger.now import now
from messaging.models import InboundMail
from tests.escalations.cases.builders import accepted, asked, opened
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def merge(case: Escalation, of: Escalation, by: Any, reason: str = "") -> Escalation:
    """The case becomes a duplicate."""
    closing.mark_duplicate(case_id=case.pk, by=by, of=of, reason=reason)
    return Escalation.objects.get(pk=case.pk)


def test_thread_actions_and_people_go_to_the_case_that_carries_on(cast: Cast) -> None:
    original, case = accepted(cast), accepted(cast)
    original.people.filter(duty="", user=cast.legal).delete()
    case.people.get_or_create(user=cast.legal, duty="", defaults={"letter": "C", "since": now()})
    thread.post(case_id=case.pk, by=cast.csm, text="They called again.")
    due = now() + timedelta(days=1)
    action = tracker.add_action(case_id=case.pk, by=cast.csm, title="Call back", owner=cast.csm, due_at=due)
    case = merge(case, original, cast.csm)
    assert (case.state, case.duplicate_of) == ("duplicate", original)
    copied = original.events.get(kind="merged", text__body="They called again.")
    assert (copied.actor, copied.data["case"]) == (cast.csm, case.pk)
    assert copied.summary.startswith(f"From {case.key}, ")
    merged = original.events.get(kind="merged_in")
    assert merged.data == {"case": case.pk}
    assert "is merged into this case: 1 post, " in merged.summary
    action.refresh_from_db()
    assert action.case == original
    assert original.people.filter(user=cast.legal).exists()
    assert not case.clocks.live().exists()


def test_only_an_open_case_of_the_same_account_that_one_sees(cast: Cast) -> None:
    case, other = opened(cast), opened(cast)
    Escalation.objects.filter(pk=other.pk).update(account=cast.elsewhere)
    other.refresh_from_db()
    with pytest.raises(Invalid, match=f"{other.key} belongs to Harbor Health. Choose a case of Northwind Logistics."):
        merge(case, other, cast.ops)
    with pytest.raises(Invalid, match="of itself"):
        merge(case, case, cast.csm)
    ended = opened(cast)
    closing.withdraw(case_id=ended.pk, by=cast.csm, reason="Not wanted")
    ended.refresh_from_db()
    with pytest.raises(Invalid, match="is withdrawn"):
        merge(case, ended, cast.csm)
    with pytest.raises(NotAllowed):
        merge(case, opened(cast), cast.outsider)
    hidden = opened(cast, confidential=True)
    with pytest.raises(Invalid, match="no such case"):
        merge(case, hidden, cast.ops)
    with pytest.raises(Invalid, match="confidential"):
        merge(hidden, case, cast.csm)
    case.refresh_from_db()
    assert case.duplicate_of is None


def test_chains_lead_to_the_last_case(cast: Cast) -> None:
    first, second, third = opened(cast), opened(cast), opened(cast)
    first = merge(first, second, cast.csm)
    second = merge(second, third, cast.csm)
    first.refresh_from_db()
    assert first.duplicate_of == third
    assert original_of(first) == original_of(second) == third
    fourth = merge(opened(cast), first, cast.csm)
    assert fourth.duplicate_of == third
    with pytest.raises(Invalid):
        merge(third, first, cast.csm)


def test_mail_to_the_address_of_a_duplicate_reaches_the_case_that_carries_on(cast: Cast) -> None:
    original, case = opened(cast), opened(cast)
    merge(case, original, cast.csm)
    mail = InboundMail(recipients=[f"case+{case.pk}@{settings.MAIL_DOMAIN}"])
    arrival, _ = which_case.find(mail, case.account)
    assert (arrival.case, arrival.came_from) == (original, case.key)


def test_an_open_request_of_the_duplicate_is_recalled(cast: Cast) -> None:
    case, original = asked(cast), opened(cast)
    merge(case, original, cast.csm)
    assert case.requests.get().state == "recalled"


def test_a_decision_keeps_its_name_on_the_case_that_carries_on(cast: Cast) -> None:
    original, case = accepted(cast), accepted(cast, concession="", amount=None)
    ruling = decisions.Ruling("No concession is needed.", rationale="The price is agreed.")
    decisions.decide(case_id=case.pk, by=case.people.get(duty="authority").user, ruling=ruling)
    merge(case, original, cast.csm)
    assert original.events.get(kind="merged").summary.startswith(f"From {case.key}, decision, ")


def test_a_hand_off_says_that_it_ended_with_its_case(cast: Cast) -> None:
    case = opened(cast)
    closing.withdraw(case_id=case.pk, by=cast.csm, reason="Not wanted")
    ended = case.handoffs.get()
    assert (ended.state_words, ended.reason) == ("Ended", "The case is withdrawn.")
