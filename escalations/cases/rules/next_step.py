"""The next step of a case and its reason: one sentence by rule, the most urgent one."""

from dataclasses import dataclass
from datetime import datetime

from escalations import states
from ledger.format import counted

HOT, DUE, CALM, NONE = "hot", "due", "", "none"


@dataclass(frozen=True)
class Promise:
    """The live clock of one kind: its due time, whether its warning time is over, and the effect of its breach."""

    due_at: datetime | None
    warned: bool = False
    escalates: bool = False
    label: str = ""


@dataclass(frozen=True)
class Facts:
    """The facts for the rule. Names are as displayed; empty means nobody or nothing."""

    state: str
    goes_up: bool = True
    owner: str = ""
    waiting_on: str = states.NOBODY
    asked_to_own: str = ""
    asked_is_viewer: bool = False
    acceptance: Promise | None = None
    decider: str = ""
    deciders: int = 1
    decider_is_viewer: bool = False
    open_requests: int = 0
    granted_requests: int = 0
    decision: Promise | None = None
    customer_update: Promise | None = None
    concession: bool = False
    brief_gaps: int = 0
    late_action: str = ""
    late_since: datetime | None = None
    open_execution: int = 0
    customer_told: bool = False
    review_settled: bool = False
    review_due: datetime | None = None


@dataclass(frozen=True)
class Step:
    """The card: title, reason, the moment it is about, what happens automatically then, and possible actions (codes)."""

    code: str
    mood: str
    title: str
    why: str
    moment: datetime | None = None
    then: str = ""
    acts: tuple[str, ...] = ()


def next_step(facts: Facts, at: datetime) -> Step:
    """The first that holds: no owner accepted, decision past due, customer update due, approval to request, action
    late, ready to resolve or close; else the step of the stage."""
    if facts.state not in states.OPEN:
        return _after(facts)
    for rule in (_no_owner, _decision_late, _customer_update, _approval, _late_action, _ready):
        if step := rule(facts, at):
            return step
    return _by_stage(facts)


def _late(promise: Promise | None, at: datetime) -> bool:
    return promise is not None and promise.due_at is not None and promise.due_at <= at


def _no_owner(facts: Facts, at: datetime) -> Step | None:
    if facts.owner and facts.state != states.HANDED_OFF:
        return None
    due = facts.acceptance.due_at if facts.acceptance else None
    if not facts.asked_to_own:
        why = "Nobody owns this escalation, and nobody has been asked to own it."
        return Step("no_owner", HOT, "Next: find an owner", why, acts=("hand_over",))
    then = "If it is not accepted in time, it goes to the next person."
    mood = HOT if _late(facts.acceptance, at) else DUE
    if facts.asked_is_viewer:
        return Step("accept", mood, "Next: accept this hand-off", "You were asked to own it.", due, then, ("accept",))
    why = f"{facts.asked_to_own} was asked to own it and has not accepted yet."
    title = f"Next: {facts.asked_to_own} accepts ownership"
    return Step("no_owner", mood, title, why, due, then, ("roles", "hand_over"))


def _decision_late(facts: Facts, at: datetime) -> Step | None:
    if not _late(facts.decision, at) or facts.decision is None:
        return None
    who = facts.decider or "the decision authority"
    why = f"{facts.decision.label} is past due."
    if not facts.open_requests:
        return Step(
            "decision_late",
            HOT,
            f"Next: get a decision from {who}",
            why,
            facts.decision.due_at,
            acts=("ask", "escalate"),
        )
    title = "Next: decide" if facts.decider_is_viewer else f"Next: get a decision from {who}"
    acts = ("decide",) if facts.decider_is_viewer else ("remind", "escalate")
    return Step("decision_late", HOT, title, why, facts.decision.due_at, acts=acts)


def _customer_update(facts: Facts, at: datetime) -> Step | None:
    promise = facts.customer_update
    if promise is None or promise.due_at is None or not (promise.warned or promise.due_at <= at):
        return None
    late = promise.due_at <= at
    why = (
        "The customer was promised an update and has not received it."
        if late
        else "The customer expects an update soon."
    )
    return Step(
        "customer_update",
        HOT if late else DUE,
        "Next: update the customer",
        why,
        promise.due_at,
        acts=("customer_update",),
    )


def _approval(facts: Facts, at: datetime) -> Step | None:
    asked = facts.open_requests or facts.granted_requests
    if not facts.concession or asked or facts.state != states.DIAGNOSING:
        return None
    why = "The customer asks for a concession and no approval has been requested yet."
    due = facts.decision.due_at if facts.decision else None
    then = "When that time passes, it is escalated one level." if due and _goes_up(facts) else ""
    if facts.brief_gaps:
        why = f"The customer asks for a concession. Fill {counted(facts.brief_gaps, 'gap')} of the brief, then request it."
        return Step("brief", CALM, "Next: complete the brief", why, due, then, ("brief",))
    return Step("approval", CALM, "Next: request the approval", why, due, then, ("ask", "brief"))


def _goes_up(facts: Facts) -> bool:
    return facts.decision is not None and facts.decision.escalates and facts.goes_up


def _late_action(facts: Facts, at: datetime) -> Step | None:
    if not facts.late_action:
        return None
    return Step(
        "late_action", DUE, f"Next: {facts.late_action}", "This action is late.", facts.late_since, acts=("tracker",)
    )


def _ready(facts: Facts, at: datetime) -> Step | None:
    if facts.state != states.EXECUTING or facts.open_execution:
        return None
    if facts.customer_told:
        why = "The agreement is carried out, and the customer got an update since the decision. Resolve the case."
        return Step("ready", CALM, "Next: resolve this escalation", why, acts=("resolve",))
    why = "The agreement is carried out. Tell the customer, or confirm that the customer knows, then resolve the case."
    return Step("ready", CALM, "Next: resolve this escalation", why, acts=("resolve", "customer_update"))


def _by_stage(facts: Facts) -> Step:
    if facts.state == states.APPROVING:
        return _waiting_for_decision(facts)
    if states.WAITING[facts.waiting_on].pauses:
        whom = states.WAITING[facts.waiting_on].words
        return Step(
            "waiting",
            NONE,
            "Nothing is waiting for you",
            f"Clocks are paused: waiting on the {whom}.",
            acts=("resume",),
        )
    if facts.state == states.EXECUTING:
        return Step(
            "execute",
            CALM,
            "Next: carry out the agreement",
            f"{counted(facts.open_execution, 'action')} {'is' if facts.open_execution == 1 else 'are'} open.",
            acts=("tracker",),
        )
    why = "The facts are being collected. Request an approval, or go on without one and say why none is needed."
    return Step("diagnose", CALM, "Next: complete the brief", why, acts=("brief", "ask", "execute"))


def _waiting_for_decision(facts: Facts) -> Step:
    due = facts.decision.due_at if facts.decision else None
    then = "When that time passes, it is escalated one level." if due and _goes_up(facts) else ""
    if facts.decider_is_viewer:
        return Step("decide", DUE, "Next: decide", "An approval request waits for you.", due, then, ("decide",))
    who = facts.decider or "the decision authority"
    return Step(
        "decision",
        NONE,
        f"Nothing is waiting for you: {who} {'decide' if facts.deciders > 1 else 'decides'}",
        "The approval was requested.",
        due,
        then,
        ("approvals",),
    )


def _after(facts: Facts) -> Step:
    if facts.state in states.AFTER:
        if facts.review_settled:
            return Step(
                "close", CALM, "Next: close this escalation", "The review is signed or waived.", acts=("close",)
            )
        why = "The case is resolved. It can be closed after the review, or after its waiver with a reason."
        return Step("review", CALM, "Next: write the review", why, facts.review_due, acts=("review",))
    word = dict(states.STATES)[facts.state].lower()
    return Step("ended", NONE, "Nothing is waiting for you", f"This escalation is {word}.")
