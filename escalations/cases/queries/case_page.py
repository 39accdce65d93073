"""The frame around the tabs of a case: header, facts, next step, clocks, people, tracker. Few queries, none per row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery

from accounts.calendars.queries import work_calendar
from accounts.models import Account, Role, User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.cases.briefs import gaps
from escalations.cases.queries.acts import Scene, acts
from escalations.cases.queries.asked import Asked, asked_of
from escalations.cases.queries.messages import told_since_decision
from escalations.cases.rules import next_step
from escalations.clocks.rules import timing
from escalations.models import (
    Action,
    BriefPart,
    CasePerson,
    Clock,
    Commitment,
    Escalation,
    HandOff,
    Review,
)
from ledger.counts import RowCount
from ledger.format import listed

GRANTED = (ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS)
BRIEF_PARTS = 11
COMPUTED_PARTS = 2  # classification and account context are filled automatically
# Clocks that are not yellow or red are folded after the first three.
CLOCKS_OPEN, CLOCKS_SHOWN = 3, 12
NEXT_UPDATES = (states.CUSTOMER_UPDATE, states.INTERNAL_UPDATE)
WORST_FIRST = ("red", "yel", "grn", "pau")
# Verbs of the page → the required move of the transition table. Other verbs need an open case.
MOVES = {name: name for name in ("execute", "resolve", "close", "reopen", "withdraw")} | {"duplicate": "mark_duplicate"}
WHILE_OPEN = ("hand_off", "roles", "share", "pause", "customer_update", "status")


def with_people(cases: QuerySet[Escalation]) -> QuerySet[Escalation]:
    """The case with what all its pages read, and the number of filled parts of its brief. Other relations are few and are
    read by the pages that show them."""
    people = CasePerson.objects.select_related("user", "role")
    empty = Q(text="") & (Q(data={}) | Q(data={"rows": []}))
    parts = BriefPart.objects.filter(case=OuterRef("pk")).exclude(empty)
    return (
        cases.select_related("account", "policy", "issue_type", "owner", "status_by", "review_record")
        .prefetch_related(Prefetch("people", queryset=people))
        .annotate(brief_written=RowCount(parts))
    )


@dataclass
class ClockRow:
    """A clock in the rail."""

    clock: Clock
    status: str
    percent: float
    owner: str = ""

    @property
    def rank(self) -> tuple[int, bool, datetime]:
        """The order of clocks: past due, then warned, then the others, each by due time; paused ones last."""
        due_at = self.clock.due_at or self.clock.started_at
        return WORST_FIRST.index(self.status) if self.status in WORST_FIRST else 99, self.clock.due_at is None, due_at


def frame(case: Escalation, user: User, at: datetime, can: dict[str, bool]) -> dict[str, object]:
    """The context of escalations/case_base.html besides `tab`. `can`: cases.access.abilities. Keys: case, account, at,
    can, may (ability and state allow it), clocks (the live ones that are near), later_clocks (those that are folded),
    more_clocks (the number of further live ones), decision (its clock), people (who has a duty or is accountable),
    helpers (the others), handoff (the waiting one for the owner's duty), actions, tracker, open_requests, step, acts (its
    buttons), stages, stage_number, review, level_name, sees_account, sla (code of the header's chip) and the counts of
    the tabs.
    """
    handoff = _waiting_handoff(case)
    clocks = live_clocks(case, at, handoff)
    actions = list(case.actions.exclude(state=Action.CANCELLED).select_related("owner"))
    requests = asked_of(case)
    counts = tracker(actions, at)
    waiting = [each for each in requests if each.is_open]
    live = {row.clock.kind: row for row in clocks if not row.clock.about}
    step = next_step.next_step(_facts(case, user, at, live, actions, requests, handoff), at)
    allowed = may(case, can)
    near = min(CLOCKS_SHOWN, max(CLOCKS_OPEN, sum(row.status in ("red", "yel") for row in clocks)))
    everyone = people(case)
    return {
        "case": case,
        "account": case.account,
        "at": at,
        "can": can,
        "may": allowed,
        "clocks": clocks[:near],
        "later_clocks": clocks[near:CLOCKS_SHOWN],
        "decision": live[states.DECISION].clock if states.DECISION in live else None,
        "next_updates": [live[kind] for kind in NEXT_UPDATES if kind in live and live[kind].clock.due_at],
        "may_decide": can["decide"] and case.is_open,
        "more_clocks": max(0, len(clocks) - CLOCKS_SHOWN),
        "people": [each for each in everyone if _stands_first(each)],
        "helpers": [each for each in everyone if not _stands_first(each)],
        "handoff": handoff,
        "actions": actions,
        "tracker": counts,
        "open_requests": waiting,
        "step": step,
        "acts": acts(step.acts, Scene(case, user, allowed, handoff, waiting)),
        "stages": stages(case),
        "stage_number": states.STAGES.index(case.stage) + 1,
        "review": review_of(case),
        "level_name": case.get_level_display(),
        "sees_account": sees_account(user, case.account),
        "sla": case.sla_status(at),
        "brief_count": f"{_brief_filled(case)}/{BRIEF_PARTS}",
        "tracker_count": f"{counts.done}/{counts.of}" if counts.of else "",
        "approvals_count": len(waiting) or "",
    }


def sees_account(user: User, account: Account) -> bool:
    """Whether this person may open the account's page; the same as Account.objects.visible_to, without a query."""
    if user.sees in (Role.ALL, Role.FUNCTION):
        return True
    mine = set(user.tree_ids) if user.sees == Role.TREE else {user.pk}
    return bool(mine & {account.csm_id, account.ae_id})


def may(case: Escalation, can: dict[str, bool]) -> dict[str, bool]:
    """The verbs that the person and the state of the case allow."""
    moves = {move.name for move in cast(Any, case).get_available_state_transitions()}
    found = {verb: can[verb] and move in moves for verb, move in MOVES.items()}
    found |= {verb: can[verb] and case.is_open for verb in WHILE_OPEN}
    found["ask"] = can["ask"] and (case.state == states.APPROVING or "ask" in moves)
    found["execute"] = found["execute"] and case.state != states.APPROVING and not case.has_undecided_concession
    found["escalate"] = can["escalate"] and case.is_open and case.policy.ladder.goes_up(case.level)
    found["hand_off"] = found["hand_off"] and "hand_off" in moves
    return found


def live_clocks(case: Escalation, at: datetime, handoff: HandOff | None) -> list[ClockRow]:
    """The running and paused clocks of the case with the person who has to act, the worst first. `handoff`: the owner's
    hand-off, if one waits."""
    promised = Commitment.objects.filter(pk=OuterRef("about")).values("owner__name")[:1]
    clocks = case.clocks.live().select_related("calendar").annotate(promiser=Subquery(promised)).order_by()
    names = {each.duty: each.user.name for each in case.people.all() if each.duty}
    asked = handoff.to_user.name if handoff else ""
    rows = [
        ClockRow(clock, clock.status(at), _used_percent(clock, at), _keeper(clock, names, asked)) for clock in clocks
    ]
    return sorted(rows, key=lambda row: row.rank)


def _keeper(clock: Clock, names: dict[str, str], asked: str) -> str:
    """The person who has to act before it is due."""
    if clock.kind == states.COMMITMENT:
        return getattr(clock, "promiser", None) or ""
    if clock.kind == states.ACCEPTANCE:
        return asked
    return next((names[duty] for duty in clock.rule.duties if duty in names), "")


def _used_percent(clock: Clock, at: datetime) -> float:
    """Share of the target used, in working time; 100 once past due."""
    if clock.due_at and at >= clock.due_at:
        return 100.0
    used = clock.used_seconds
    if clock.state == Clock.RUNNING:
        calendar = work_calendar(clock.calendar) if clock.calendar else None
        used += timing.used_between(calendar, clock.resumed_at, at)
    return min(100.0, 100 * used / (clock.target_seconds or 1))


def people(case: Escalation) -> list[CasePerson]:
    """The named duties first, in their order, then the others."""
    order = {duty: place for place, (duty, _) in enumerate(CasePerson.DUTIES)}
    return sorted(case.people.all(), key=lambda each: (order.get(each.duty, len(order)), each.letter, each.pk))


def _stands_first(person: CasePerson) -> bool:
    """Whether the person is shown at once, and not folded with those who are consulted or informed."""
    return bool(person.duty) or person.letter == "A"


def _waiting_handoff(case: Escalation) -> HandOff | None:
    waiting = case.handoffs.filter(state=HandOff.WAITING, duty=CasePerson.OWNER)
    return next(iter(waiting.select_related("to_user").order_by()), None)  # at most one: a constraint


class TrackerRow(NamedTuple):
    """An action of the rail."""

    action: Action
    late: bool


class Tracker(NamedTuple):
    """The number of done and all actions, the first rows, and the number of further rows."""

    done: int
    of: int
    rows: list[TrackerRow]
    more: int


def tracker(actions: list[Action], at: datetime) -> Tracker:
    """Counts for the tab and the rail's first rows: open ones by due time, late ones marked."""
    done = [each for each in actions if each.state == Action.DONE]
    open_ones = [each for each in actions if each.state != Action.DONE]
    rows = [TrackerRow(each, each.is_late(at)) for each in [*open_ones, *done][:7]]
    return Tracker(len(done), len(actions), rows, max(0, len(actions) - 7))


def _brief_filled(case: Escalation) -> int:
    """The number of filled parts of the brief; counted by `with_people`."""
    return min(BRIEF_PARTS, (getattr(case, "brief_written", None) or 0) + COMPUTED_PARTS)


def stages(case: Escalation) -> list[dict[str, str]]:
    """The path: done, now, next. A resolved or ended case has no current stage."""
    at = states.STAGES.index(case.stage)
    ended = case.state in (*states.AFTER, states.CLOSED)
    kinds = ["done" if ended or i < at else "now" if i == at else "" for i in range(len(states.STAGES))]
    return [{"label": label, "kind": kind} for label, kind in zip(states.STAGES, kinds, strict=True)]


def review_of(case: Escalation) -> Review | None:
    """The review, if the case was resolved."""
    return getattr(case, "review_record", None)


def _promise(row: ClockRow | None) -> next_step.Promise | None:
    if row is None or row.clock.state != Clock.RUNNING:
        return None
    clock = row.clock
    return next_step.Promise(clock.due_at, row.status in ("yel", "red"), clock.on_breach == "escalate", clock.label)


def _facts(
    case: Escalation,
    user: User,
    at: datetime,
    live: dict[str, ClockRow],
    actions: list[Action],
    requests: Sequence[Asked],
    handoff: HandOff | None,
) -> next_step.Facts:
    late = next((each for each in actions if each.is_late(at)), None)
    waiting = [each for each in requests if each.is_open]
    authority = authority_of(case)
    asked = {pk: name for each in waiting for pk, name in each.people.items()}
    review = review_of(case)
    unproven = [each for each in actions if each.execution and each.state != Action.DONE]
    return next_step.Facts(
        state=case.state,
        goes_up=case.policy.ladder.goes_up(case.level),
        owner=case.owner.name if case.owner else "",
        waiting_on=case.waiting_on,
        asked_to_own=handoff.to_user.name if handoff else "",
        asked_is_viewer=bool(handoff and handoff.to_user_id == user.pk),
        acceptance=_promise(live.get(states.ACCEPTANCE)),
        decider=listed(list(asked.values())) or (authority.name if authority else ""),
        deciders=len(asked),
        decider_is_viewer=user.pk in asked,
        open_requests=len(waiting),
        granted_requests=sum(each.state in ApprovalRequest.GRANTED for each in requests),
        decision=_promise(live.get(states.DECISION)),
        customer_update=_promise(live.get(states.CUSTOMER_UPDATE)),
        concession=bool(case.concession),
        brief_gaps=len(gaps(case, at)) if _may_ask_first(case, requests) else 0,
        late_action=late.title if late else "",
        late_since=late.due_at if late else None,
        open_execution=len(unproven),
        customer_told=case.state == states.EXECUTING and not unproven and told_since_decision(case) is not None,
        review_settled=bool(review and review.state != Review.OPEN),
        review_due=review.due_at if review else None,
    )


def _may_ask_first(case: Escalation, requests: Sequence[Asked]) -> bool:
    """Whether the next step may be the first request; only then the brief is read."""
    asked = any(each.is_open or each.state in ApprovalRequest.GRANTED for each in requests)
    return bool(case.concession) and case.state == states.DIAGNOSING and not asked


def authority_of(case: Escalation) -> User | None:
    """The decision authority."""
    return next((each.user for each in case.people.all() if each.duty == CasePerson.AUTHORITY), None)
