"""Messages of the clocks: one to each person about the current state of a case, composed when it is sent. The posted
row says only which clock fired. Therefore the message includes what happened after the step, and after an outage a
person gets one message a case instead of one for each missed step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from accounts.models import User
from escalations import states
from escalations.cases.mail_address import reply_address
from escalations.cases.notifications.common import case_url, facts_of, moment_for
from escalations.clocks.rules.clock import Step, StepKind
from escalations.models import Clock, Escalation
from ledger.now import now
from messaging.kinds import Content, MessageKind
from messaging.models import Message
from messaging.outbox import messages as outbox
from messaging.outbox.layout import render


@dataclass(frozen=True)
class Told:
    """A step that people are notified of. The case needs its account."""

    case: Escalation
    clock: Clock
    step: Step
    people: Sequence[tuple[int, str]]


def post(told: Iterable[Told], *, at: datetime) -> None:
    """Mail and in-app notices for these steps, in the caller's transaction."""
    outbox.post_many([_mail(each, *person) for each in told for person in each.people], at=at)


def _mail(each: Told, user_id: int, email: str) -> outbox.Draft:
    case, clock, step = each.case, each.clock, each.step
    warns = step.kind == StepKind.WARN
    number = f":{step.number}" if step.kind in (StepKind.WARN, StepKind.REPEAT) else ""
    subject = "Due soon" if warns else "Past SLA"
    return outbox.Draft(
        key=f"{step.kind}:{clock.pk}{number}:{user_id}",
        # Internal rhythms can be switched off or put into the digest like a warning; a breach towards the customer
        # cannot.
        kind="warning" if warns or clock.rule.rhythm else "breach",
        user_id=user_id,
        address=email,
        subject=f"{subject}: {clock.label.lower()} of {case.key}, {case.account.name}",
        source=ClockNotification.source(case.pk, clock.pk, step.kind, step.number),
        case_key=case.key,
        account_name=case.account.name,
        thread_id=f"<case-{case.pk}@{settings.MAIL_DOMAIN}>",
        reply_to=reply_address(case.pk),
        notice_url=f"/escalations/{case.key}/",
    )


class ClockNotification(MessageKind):
    """The message about a step of a clock: `clock:CASE:CLOCK:STEP:NUMBER`."""

    prefix = "clock"

    def still_wanted(self, message: Message) -> bool:
        """A breach always; a warning or a reminder while the clock runs."""
        _, clock, step, _ = self.parts(message)
        return step == StepKind.BREACH or Clock.objects.filter(pk=int(clock), state=Clock.RUNNING).exists()

    def compose(self, message: Message) -> Content | None:
        """The current message; None if the target of a warning was met meanwhile."""
        case_id, clock_id, kind, number = self.parts(message)
        case = Escalation.objects.select_related("account", "owner", "policy").get(pk=case_id)
        clock = Clock.objects.get(pk=clock_id)
        if message.user is None or (kind == StepKind.WARN and clock.state != Clock.RUNNING):
            return None
        at = now()
        if kind == StepKind.WARN and clock.due_at and at >= clock.due_at:
            kind = StepKind.BREACH  # it waited in the queue until the due time had passed
        return _worded(case, clock, Step(StepKind(kind), int(number)), message.user, at)


def _worded(case: Escalation, clock: Clock, step: Step, user: User, at: datetime) -> Content:
    warns, label = step.kind == StepKind.WARN, clock.label
    due = moment_for(user, clock.due_at or clock.breached_at)
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
        "facts": [*facts_of(case, user), ("Current state", _stands(case)), *_other_clocks(case, clock, user, at)],
        "button": "Open the case",
        "url": case_url(case),
        "after": _after(case, clock, step),
        "why": "You get this because you can still meet this target."
        if warns
        else "You get this because you are named on the case.",
    }
    text, html = render("case_note", context, zone=user.zone)
    return Content(subject, text, html)


def _lead(case: Escalation, step: Step) -> str:
    if step.kind == StepKind.WARN:
        return f"{step.number}% of the time is used on {case.key}: {case.title}."
    told = f" This is reminder {step.number}." if step.kind == StepKind.REPEAT else ""
    return f"{case.key}: {case.title}.{told}"


def _stands(case: Escalation) -> str:
    owner = f", owned by {case.owner.name}" if case.owner else ", not accepted yet"
    return f"{case.get_state_display()} at {case.get_level_display().lower()} level{owner}"


def _other_clocks(case: Escalation, clock: Clock, user: User, at: datetime) -> list[tuple[str, str]]:
    """The other clocks of the case that are late or nearly late, the oldest first."""
    others = case.clocks.filter(state=Clock.RUNNING, warn_at__lte=at).exclude(pk=clock.pk).order_by("due_at", "id")
    words = {"red": "Past SLA since", "yel": "Due"}
    return [(each.label, f"{words[each.status(at)]} {moment_for(user, each.due_at)}") for each in others]


def _after(case: Escalation, clock: Clock, step: Step) -> str:
    if step.kind == StepKind.WARN:
        return "If the time runs out, the escalation matrix decides who is next."
    if clock.kind == states.FIRST_ACT:
        return "If nobody starts, the case goes to someone else."
    left = clock.repeat_times - clock.repeats
    if clock.state == Clock.RUNNING and clock.repeat_minutes and left > 0:
        return f"Until someone acts, you get up to {left} more {'reminder' if left == 1 else 'reminders'}."
    return "The thread of the case shows what happened since."
