"""Pressing the button twice is one decision, as long as that decision still counts."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from approvals.requests import terms as changing
from tests.approvals.proofs.doors import APPROVE, WEB, Caller, Knock
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_who_presses_again_after_the_terms_were_replaced_is_told(
    deciders: Cast, ask: Callable[..., ApprovalRequest]
) -> None:
    made = ask()
    lena = Caller(deciders.director)
    press = Knock(APPROVE, WEB, made.pk, deciders.director.pk, version=made.version, seat=made.authority_seat.number)
    assert [lena.knock(press).status, lena.knock(press).status] == [302, 302]
    made.refresh_from_db()
    wanted, reason = changing.NewTerms(amount=Decimal(18)), "Their counsel wants more"
    changing.change_terms(request_id=made.pk, by=deciders.csm, version=made.version, reason=reason, wanted=wanted)
    made.refresh_from_db()
    heard = lena.knock(
        Knock(APPROVE, WEB, made.pk, deciders.director.pk, version=made.version, seat=made.authority_seat.number)
    )
    assert heard.status == 409
    assert "Replaced by new terms by Priya Raman" in heard.words


def test_who_presses_again_after_a_recall_is_told(deciders: Cast, ask: Callable[..., ApprovalRequest]) -> None:
    made = ask()
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="Solved")
    heard = Caller(deciders.director).knock(
        Knock(APPROVE, WEB, made.pk, deciders.director.pk, version=1, seat=made.authority_seat.number)
    )
    assert heard.status == 409
    assert "Recalled by Priya Raman" in heard.words
