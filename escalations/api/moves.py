"""The verb of each move of the API."""

from collections.abc import Callable
from typing import TypedDict

from accounts.models import User
from escalations.cases import closing, handoffs
from escalations.cases import escalate as escalating
from escalations.models import Escalation, HandOff
from ledger.errors import Invalid, NotThere


class Given(TypedDict, total=False):
    """The fields of MoveSerializer; fields with a default are always present."""

    move: str
    handoff: int
    to: User
    reason: str
    tried: str
    open_points: str
    ask: str
    both: str
    duty: str
    of: str
    outcome: str
    root_cause: str
    resolution: str
    customer_told: bool


Mover = Callable[[Escalation, User, Given], object]


def _notes(data: Given) -> handoffs.Notes:
    return handoffs.Notes(tried=data["tried"], open_points=data["open_points"], ask=data["ask"], both=data["both"])


def _handoff(case: Escalation, user: User, data: Given) -> HandOff:
    rows = case.handoffs.filter(number=data["handoff"]) if data.get("handoff") else case.handoffs.filter(to_user=user)
    found = rows.order_by("-number").first()
    if found is None:
        raise NotThere("There is no hand-off to you on this case.", field="handoff")
    return found


def _accept(case: Escalation, user: User, data: Given) -> None:
    handoffs.accept(case_id=case.pk, handoff_id=_handoff(case, user, data).pk, by=user)


def _refuse(case: Escalation, user: User, data: Given) -> None:
    handoffs.refuse(case_id=case.pk, handoff_id=_handoff(case, user, data).pk, by=user, reason=data["reason"])


def _hand_over(case: Escalation, user: User, data: Given) -> None:
    if not data.get("to"):
        raise Invalid("Enter the e-mail address of the next person.", field="to")
    handoffs.reassign(case_id=case.pk, by=user, to=data["to"], notes=_notes(data), duty=data["duty"])


def _escalate(case: Escalation, user: User, data: Given) -> None:
    escalating.escalate(case_id=case.pk, by=user, notes=_notes(data))


def _execute(case: Escalation, user: User, data: Given) -> None:
    closing.skip_to_execute(case_id=case.pk, by=user, reason=data["reason"])


def _resolve(case: Escalation, user: User, data: Given) -> None:
    ending = closing.Ending(data["outcome"], data["root_cause"], data["resolution"], data["customer_told"])
    closing.resolve(case_id=case.pk, by=user, ending=ending)


def _close(case: Escalation, user: User, data: Given) -> None:
    closing.close(case_id=case.pk, by=user)


def _reopen(case: Escalation, user: User, data: Given) -> None:
    closing.reopen(case_id=case.pk, by=user, reason=data["reason"])


def _withdraw(case: Escalation, user: User, data: Given) -> None:
    closing.withdraw(case_id=case.pk, by=user, reason=data["reason"])


def _duplicate(case: Escalation, user: User, data: Given) -> None:
    number = data["of"].upper().removeprefix("ESC-")
    found = Escalation.objects.visible_to(user).filter(pk=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise Invalid("Enter the key of the case that carries on, such as ESC-1042.", field="of")
    closing.mark_duplicate(case_id=case.pk, by=user, of=found, reason=data["reason"])


MOVERS: dict[str, Mover] = {
    "accept": _accept,
    "refuse": _refuse,
    "hand_over": _hand_over,
    "escalate": _escalate,
    "execute": _execute,
    "resolve": _resolve,
    "close": _close,
    "reopen": _reopen,
    "withdraw": _withdraw,
    "duplicate": _duplicate,
}
