"""Replies that come in at the same moment, and while somebody decides elsewhere: one decision. On SQLite's file and on
PostgreSQL."""

from decimal import Decimal
from functools import partial

import pytest
from pytest_django import Settings

from approvals.models import ApprovalRequest, ConcessionType
from approvals.requests import decide as deciding
from ledger import chain
from messaging.inbound import receive as inbound
from messaging.models import InboundMail
from tests.approvals.conftest import make_request
from tests.approvals.mail.replies import AUTHSERV, raw_reply, token_of
from tests.approvals.requests.test_races import at_once
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
FINAL = ("approved", "declined", "recalled")


@pytest.fixture
def desk(deciders: Cast, settings: Settings) -> Cast:
    """The deciders, committed, so that every thread sees it; replies decide."""
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    ConcessionType.objects.update(reply_up_to=Decimal(20))
    return deciders


def decisions(made: ApprovalRequest) -> list[str]:
    """The final entries of its log, which must verify."""
    made.refresh_from_db()
    assert list(chain.breaks_in(made, made.log.all())) == []
    return [kind for kind in made.log.values_list("kind", flat=True) if kind in FINAL]


def test_two_replies_at_once_decide_once(desk: Cast) -> None:
    made = make_request(desk)
    token = token_of(made)
    words = ("Approve", "Decline\r\nNo budget.", "Approved", "Reject\r\nToo much.")
    raws = [raw_reply(token, text, number=number) for number, text in enumerate(words)]
    at_once(*[partial(inbound.receive, raw=raw) for raw in raws])
    assert len(decisions(made)) == 1
    assert set(InboundMail.objects.values_list("state", flat=True)) == {"claimed"}
    assert InboundMail.objects.count() == 4


def test_the_same_reply_taken_in_twice_at_once_decides_once(desk: Cast) -> None:
    made = make_request(desk)
    raw = raw_reply(token_of(made), "Approve")
    at_once(*[partial(inbound.receive, raw=raw) for _ in range(4)])
    assert (decisions(made), InboundMail.objects.count()) == (["approved"], 1)


def test_a_reply_and_the_page_and_a_recall_at_once_leave_one_end(desk: Cast) -> None:
    for number in range(3):
        made = make_request(desk, case_key=f"ESC-{3000 + number}", amount=Decimal("0.5"), tier="red")
        raw = raw_reply(token_of(made), "Approve", sender=f"<{made.approver.email}>", number=10 + number)
        page = {"by": made.approver, "verdict": "declined", "version": 1, "words": deciding.Words("No")}
        at_once(
            partial(inbound.receive, raw=raw),
            partial(deciding.decide, request_id=made.pk, **page),
            partial(deciding.recall, request_id=made.pk, by=desk.csm, reason="Solved"),
        )
        assert decisions(made) == [made.state]
