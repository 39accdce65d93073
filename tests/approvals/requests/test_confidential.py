"""Requests of confidential cases, and decisions that are none."""

from collections.abc import Callable

import pytest

from accounts.models import User
from approvals.models import ApprovalRequest
from tests.approvals.test_pages import signed_in, submit, text, url
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]


def test_a_request_of_a_confidential_case_is_for_those_who_take_part_in_it(deciders: Cast, ask: Ask) -> None:
    made = ask(confidential=True)
    assert made.approver is not None
    for user in (made.requester, made.approver):
        assert signed_in(user).get(url("detail", made)).status_code == 200
    # The account's AE, a manager, an executive and the whole tree would see it if it were not confidential.
    outside = [deciders.ae, *User.objects.exclude(pk__in=[made.requester_id, made.approver.pk, deciders.ae.pk])]
    for user in outside:
        if not user.is_superuser:
            assert signed_in(user).get(url("detail", made)).status_code == 404
            assert made not in ApprovalRequest.objects.visible_to(user)


@pytest.mark.parametrize("verdict", ["", "granted", "+10000-01-01"])
def test_an_unknown_verdict_decides_nothing_and_says_what_to_choose(ask: Ask, verdict: str) -> None:
    made = ask()
    assert made.approver is not None
    answer = submit(signed_in(made.approver), made, verdict)
    assert answer.status_code == 422
    assert "Choose to approve" in text(answer)
    made.refresh_from_db()
    assert made.is_open


def test_zero_bytes_in_what_is_typed_are_left_out(ask: Ask) -> None:
    made = ask()
    assert made.approver is not None
    assert signed_in(made.approver).post(url("question", made), {"text": "Why\x00 now?"}).status_code == 302
    assert made.log.get(kind="question").rationale == "Why now?"
