"""The same customer update, and the same request, are not sent twice by accident."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from escalations.cases import requests as asking
from escalations.cases import thread as communication
from escalations.models import CasePerson, Escalation, Event
from ledger.errors import Invalid
from ledger.now import now
from tests.escalations.cases.builders import accepted, asked
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
WORDS = "We work on it. You hear from us tomorrow."


def update(case: Escalation, cast: Cast, text: str = WORDS) -> None:
    """The communication lead writes to the contact."""
    lead = case.people.get(duty=CasePerson.COMMUNICATION).user
    communication.customer_update(case_id=case.pk, by=lead, text=text, contacts=[cast.contact])


def test_the_same_words_to_the_same_person_are_refused_for_some_minutes(cast: Cast) -> None:
    case = accepted(cast)
    update(case, cast)
    with pytest.raises(Invalid, match=f"sent {cast.contact.name} the same text at") as refused:
        update(case, cast)
    assert refused.value.field == "text"
    update(case, cast, "It works again.")
    with time_machine.travel(now() + timedelta(minutes=16), tick=False):
        update(case, cast)
    assert case.events.filter(kind=Event.CUSTOMER_UPDATE).count() == 3


def test_the_same_request_is_refused_while_the_first_one_waits(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    wanted = asking.CaseAsk("discount", Decimal("18.00"), "USD", "Please?")
    with pytest.raises(Invalid, match=f"Request 1 asks for the same and waits for {made.approver}"):
        asking.ask(wanted, case_id=case.pk, by=cast.csm)
    asking.ask(asking.CaseAsk("discount", Decimal(17), "USD", "Less?"), case_id=case.pk, by=cast.csm)
    assert case.requests.count() == 2
