"""Word from the clocks: one message to a person about where a case stands, written when it is sent.

What is posted is small and says only which clock spoke; what happens between the step and the sending is told too, and
whoever was away for a day reads one message a case instead of one for each step that was missed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from accounts.models import User
from escalations import states
from escalations.cases.notifications.common import case_url, facts_of, local
from escalations.clocks.rules.steps import BREACH, REPEAT, WARN, Step
from escalations.models import Clock, Escalation
from ledger.now import now
from messaging.kinds import Content, MessageKind
from messaging.models import Message
from messaging.outbox import posting
from messaging.outbox.layout import render


class Told(NamedTuple):
    """A step that people hear of. `kind`, `label`: the clock's."""

    case_id: int
    case_key: str
    account_name: str
    clock_id: int
    kind: str
    label: str
    step: Step
    people: Sequence[tuple[int, str]]


def post(told: Iterable[Told], *, at: datetime) -> None:
    """Mail and in-app word for these steps, in the caller's transaction."""
    posting.post_many([_mail(each, *person) for each in told for person in each.people], at=at)


def _key(each: Told) -> str:
    number = f":{each.step.number}" if each.step.kind in (WARN, REPEAT) else ""
    return f"{each.step.kind}:{each.clock_id}{number}"


def _kind(each: Told) -> str:
    """Word about the rhythm inside the house may be switched off or gathered like a warning; a broken promise may not."""
    return "warning" if each.step.kind == WARN or each.kind in states.RHYTHM else "breach"


def _mail(each: Told, user_id: int, email: str) -> posting.MailDraft:
    warns = each.step.kind == WARN
    subject = "Due soon" if warns else "Past SLA"
    return posting.MailDraft(
        key=f"{_key(each)}:{user_id}",
        kind=_kind(each),
        user_id=user_id,
        address=email,
        subject=f"{subject}: {each.label.lower()} of {each.case_key}, {each.account_name}"[:300],
        source=ClockNotification.source(each.case_id, each.clock_id, each.step.kind, each.step.number),
        case_key=each.case_key,
        account_name=each.account_name[:200],
        thread_id=f"<case-{each.case_id}@{settings.MAIL_DOMAIN}>",
        reply_to=f"case+{each.case_id}@{settings.MAIL_DOMAIN}",
        notice_url=f"/escalations/{each.case_key}/",
    )


class ClockNotification(MessageKind):
    """What a step of a clock means for its people: `clock:CASE:CLOCK:STEP:NUMBER`."""

    prefix = "clock"

    def still_wanted(self, message: Message) -> bool:
        """A breach always; a warning or a reminder while the clock runs."""
        _, clock, step, _ = self.parts(message)
        return step == BREACH or Clock.objects.filter(pk=int(clock), state=Clock.RUNNING).exists()

    def compose(self, message: Message) -> Content | None:
        """The message as things stand now; None when the target of a warning was met meanwhile."""
        case_id, clock_id, kind, number = self.parts(message)
        case = Escalation.objects.select_related("account", "owner").get(pk=case_id)
        clock = Clock.objects.get(pk=clock_id)
        if message.user is None or (kind == WARN and clock.state != Clock.RUNNING):
            return None
        at = now()
        if kind == WARN and clock.due_at and at >= clock.due_at:
            kind = BREACH  # it waited in the queue until the time was over
        return _worded(case, clock, Step(kind, int(number)), message.user, at)


def _worded(case: Escalation, clock: Clock, step: Step, user: User, at: datetime) -> Content:
    warns, label = step.kind == WARN, clock.label
    due = local(clock.due_at or clock.breached_at, user)
    subject = f"Due {due}: {label.lower()}" if warns else f"Past SLA: {label.lower()}"
    subject = f"{subject} of {case.key}, {case.account.name}"
    context = {
        "subject": subject,
        "preview": _lead(case, step),
        "ref": case.key,
        "word": "YELLOW: time is running out" if warns else "RED: past SLA",
        "tone": "yellow" if warns else "red",
        "head": f"{label} is due {due}" if warns else f"{label} was due {due}",
        "lead": _lead(case, step),
        "facts": [*facts_of(case, user), ("Stands now", _stands(case)), *_other_clocks(case, clock, user, at)],
        "button": "Open the case",
        "url": case_url(case),
        "after": _after(case, clock, step),
        "why": "You get this because you can still keep this promise."
        if warns
        else "You get this because you are named on the case.",
    }
    text, html = render("case_note", context, zone=user.zone)
    return Content(subject, text, html)


def _lead(case: Escalation, step: Step) -> str:
    if step.kind == WARN:
        return f"{step.number}% of the time is used on {case.key}: {case.title}."
    told = f" This is reminder {step.number}." if step.kind == REPEAT else ""
    return f"{case.key}: {case.title}.{told}"


def _stands(case: Escalation) -> str:
    owner = f", owned by {case.owner.name}" if case.owner else ", not accepted yet"
    return f"{case.get_state_display()} at {case.get_level_display().lower()} level{owner}"


def _other_clocks(case: Escalation, clock: Clock, user: User, at: datetime) -> list[tuple[str, str]]:
    """The other promises of the case that are late or nearly so, the oldest first."""
    others = case.clocks.filter(state=Clock.RUNNING, warn_at__lte=at).exclude(pk=clock.pk).order_by("due_at", "id")
    words = {"red": "Past SLA since", "yel": "Due"}
    return [(each.label, f"{words[each.status(at)]} {local(each.due_at, user)}") for each in others]


def _after(case: Escalation, clock: Clock, step: Step) -> str:
    if step.kind == WARN:
        return "When it passes, the escalation matrix says who is next."
    if clock.kind == states.FIRST_ACT:
        return "If nobody begins, the case goes to somebody else."
    left = clock.repeat_times - clock.repeats
    if clock.state == Clock.RUNNING and clock.repeat_minutes and left > 0:
        return f"Until it is answered you are reminded, {left} more {'time' if left == 1 else 'times'} at most."
    return "The thread of the case says what happened since."
