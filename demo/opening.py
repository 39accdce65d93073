"""Opening a case in memory: triage, route, staff, by the pure rules the real verbs use."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from accounts.signals.rules.tone import NEGATIVE_EDGE
from demo.clockwork import Clockwork
from demo.thread import TIER_NAMES, Options
from demo.world import Granter, need_of
from escalations import states
from escalations.cases.briefs import account_facts
from escalations.cases.rules import brief
from escalations.clocks.rules.factors import tier_value
from escalations.models import BriefPart, BriefSnapshot, CasePerson, Event
from escalations.triage.routing import GIVEN, fallback
from escalations.triage.rules import routing
from escalations.triage.rules.triage import Facts, assess

YEAR = timedelta(days=365)
KIND_NAMES, LANE_NAMES = dict(states.TYPES), dict(states.LANES)


def _days_to_renewal(renewal: date | None, at: datetime) -> int | None:
    """Days to the renewal as it stood then: contracts renew every year."""
    if renewal is None:
        return None
    days = (renewal - at.date()).days
    return days % 365 if days > 365 else days


@dataclass
class Duty:
    """A person on the case, in memory."""

    user: User
    letter: str
    duty: str = ""
    accepted_at: datetime | None = None
    since: datetime | None = None


class Opening(Clockwork):
    """A case from its first words to the people who are asked to take it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.people: list[Duty] = []
        self.parts: dict[str, Any] = {}
        self.snapshots = 0
        self.owner: User | None = None
        # In a filled database only the named duties are staffed, and hand-offs keep no copy of the brief.
        self.lean = False

    def open(self) -> None:
        """The first entry, the customer's words and the first words of the brief; state new."""
        told, at = self.told, self.told.opened_at
        who = f"Opened by {told.opened_by.name if told.opened_by else 'a rule'}"
        self.record(
            at,
            "opened",
            told.trigger_text or who,
            actor=told.opened_by,
            name="" if told.opened_by else "Trigger rule",
            audience=Event.INTERNAL,
            text=told.issue,
            data={"signal": told.signal.id if told.signal else None, "trigger": told.trigger},
        )
        if told.signal:
            self.customer_wrote(told.signal, at)
        for part, text in (("summary", told.issue), ("facts", told.impact), ("ask", told.support)):
            self.write_part(part, text, told.opened_by, at)

    def triage(self) -> None:
        """Score, tier, lane with their reasons."""
        at, case = self.told.opened_at, self.case
        found = assess(
            self._facts(at),
            bands=self.world.bands,
            weights=self.world.weights,
            usual_lane=self.issue_type.lane,
            minimum_tier=self.issue_type.minimum_tier,
        )
        case.score, case.tier, case.lane = found.score, found.tier, found.lane
        case.score_parts = [vars(part) for part in found.parts]
        case.triage_reasons = [found.sentence, *found.tier_reasons, found.lane_reason]
        data = {"score": found.score, "tier": found.tier, "lane": found.lane, "policy": self.world.policy.number}
        self.record(at, "triaged", found.sentence, actor=self.told.opened_by, data=data)
        self.move("triage", at, self.told.opened_by)

    def _facts(self, at: datetime) -> Facts:
        told, account = self.told, self.account
        before = self.world.opened.setdefault(account.id, [])
        earlier = sum(1 for each in before if at - YEAR <= each < at)
        before.append(at)
        measured = self.measured()
        return Facts(
            arr=self.world.in_usd(self.case.arr_at_risk, account.currency),
            health=self.customer.health,
            renewal_days=_days_to_renewal(account.renewal_date, at),
            sentiment=min(told.tones, default=0.0),
            phrases=told.phrases,
            blocker=told.blocker,
            legal=told.legal,
            security=told.security,
            executive_complaint=told.executive_complaint,
            outage=self.issue_type.outage,
            strategic=account.strategic,
            earlier_cases=earlier,
            stalled_hours=(at - told.impasse_at).total_seconds() / 3600,
            hard_threshold=self._hard_threshold(measured),
            in_band=bool(self._in_band(measured)),
        )

    def measured(self) -> Decimal | None:
        """The ask as limits compare it; None without one."""
        told = self.told
        return self.world.measured(told.concession, told.amount, told.currency) if told.concession else None

    def _hard_threshold(self, measured: Decimal | None) -> str:
        limit = self.world.refund_limit
        if self.told.concession not in ("refund", "credit") or measured is None or measured <= limit:
            return ""
        return f"Refund or credit of ${measured:,.0f} is above ${limit:,.0f}"

    def _in_band(self, measured: Decimal | None) -> Decimal | None:
        concession = self.told.concession
        return self.world.pre_approved(concession, measured, Decimal(0), states.GREEN) if concession else None

    def route(self) -> None:
        """Matrix row, level, people with letters and duties, and the clocks of the case."""
        at, case, world = self.told.opened_at, self.case, self.world
        granter = self._granter(at)
        found = routing.route(
            world.matrix, case.policy.ladder, issue_type=self.issue_type.slug, tier=case.tier, need=need_of(granter)
        )
        case.matrix_row_id, case.level, case.kind, case.level_since = found.row.id, found.level, found.kind, at
        case.route_reasons = list(found.reasons)
        case.authority_reason = need_of(granter).sentence[:300] if granter else ""  # type: ignore[union-attr]
        self.owner_role = found.owner_role
        self.asked_owner = world.first_holder(
            (found.owner_role, *fallback(fallback_owner=True)), self.account, self.told.opened_by
        )
        self._staff(found, granter, at)
        summary = f"Goes to {case.policy.ladder.label(case.level)}. {found.reasons[-1]}"
        self.routed_because = summary
        data = {"row": found.row.id, "reasons": case.route_reasons, "level": case.level}
        self.record(at, "routed", summary, actor=self.told.opened_by, data=data)
        for kind in (states.RESPONSE, states.DECISION):
            self.start(kind, at)
        self.start_rhythm(at)
        self.start_deadlines(at)
        if not self.lean:
            self.measure(states.TIME_TO_ESCALATE, self.told.impasse_at, at)

    def start_rhythm(self, at: datetime) -> None:
        """As services.routing: when the customer and, with a full thread, the inside hear next."""
        self.start(states.CUSTOMER_UPDATE, at)
        for kind in (states.INTERNAL_UPDATE, states.CHECK_IN) if self.rhythm else ():
            self.start(kind, at)

    def start_deadlines(self, at: datetime) -> None:
        """As services.routing: the resolution, and the customer's date as a clock of its own where it is not a deal's."""
        given = self.told.deadline if self.told.deadline and self.told.deadline > at else None
        deal = self.issue_type.negotiation
        self.start(states.RESOLUTION, at, due_at=given if deal else None, why=GIVEN if given and deal else "")
        if given and not deal:
            self.start(states.CUSTOMER_DEADLINE, at, due_at=given, why=GIVEN)

    def circumstances(self, at: datetime) -> dict[str, Decimal | int | None]:
        """As queries.circumstances, of what the demo knows; how many cases somebody owned then it does not."""
        case, account = self.case, self.account
        before = self.world.opened.get(account.id, ())
        return {
            "tier": tier_value(case.tier),
            "arr": self.world.in_usd(case.arr_at_risk, account.currency),
            "renewal_days": _days_to_renewal(account.renewal_date, at),
            "age_hours": max(0, int((at - case.impasse_at).total_seconds()) // 3600),
            "queue_load": None,
            "sentiment": sum(tone <= NEGATIVE_EDGE for tone in self.told.tones),
            "history": sum(at - YEAR <= each < case.opened_at for each in before),
        }

    def _granter(self, at: datetime) -> Granter | None:
        told = self.told
        if not told.concession:
            return None
        return self.world.granter(self.account, told.concession, self.measured(), at)

    def _staff(self, found: routing.Route, granter: Granter | None, at: datetime) -> None:
        world, account, owner = self.world, self.account, self.asked_owner
        decider = granter.person if granter and granter.limit.level >= found.level else None
        decider = decider or world.first_holder((found.role, *fallback(fallback_decider=True)), account, owner)
        lead = world.users.get(account.csm_id or account.ae_id or 0) or self.told.opened_by or owner
        if decider:
            self.people.append(Duty(decider, "A", CasePerson.AUTHORITY, since=at))
        if owner:
            self.people.append(Duty(owner, "R", CasePerson.OWNER, since=at))
        if lead:
            accepted = at if lead == self.told.opened_by else None
            self.people.append(Duty(lead, "R", CasePerson.COMMUNICATION, accepted, since=at))
        for role, letter in () if self.lean else world.stakeholders.get(self.case.tier, ()):
            user = world.holder(role, account, owner)
            if user and all(each.user.id != user.id for each in self.people):
                self.people.append(Duty(user, "R" if letter == "A" else letter, since=at))
        busy = (CasePerson.OWNER, CasePerson.AUTHORITY)
        free = [each.user for each in self.people if each.duty not in busy] or [each.user for each in self.people]
        self.people.append(Duty(free[self.case.id % len(free)], "C", CasePerson.SCRIBE, since=at))

    def on_duty(self, duty: str) -> User | None:
        """Who has a duty now."""
        return next((each.user for each in self.people if each.duty == duty), None)

    def write_part(self, part: str, text: str, by: User | None, at: datetime, options: Options | None = None) -> None:
        """Write or rewrite a part of the brief."""
        row = self.parts.get(part)
        data = {"rows": options} if options is not None else {}
        if row is not None:
            row.version += 1
            row.text, row.data, row.by_id, row.at = text, data, by.id if by else None, at
        elif text.strip() or options:
            values = {"part": part, "text": text, "data": data, "by_id": by.id if by else None, "at": at, "version": 1}
            self.parts[part] = self.batch.add(BriefPart, case_id=self.case.id, **values)

    def freeze(self, reason: str, at: datetime) -> Any:
        """Keep the brief as it stands under the next number."""
        self.snapshots += 1
        parts = self.brief_now(at)
        return self.batch.add(
            BriefSnapshot, case_id=self.case.id, number=self.snapshots, parts=parts, reason=reason[:120], at=at
        )

    def brief_now(self, at: datetime) -> dict[str, Any]:
        """The same shape as escalations.cases.briefs.current_parts."""
        case = self.case
        texts = {part: self.parts[part].text for part, _ in BriefPart.PARTS if part in self.parts}
        options = self.parts["options"].data.get("rows", []) if "options" in self.parts else []
        classification = {
            "issue_type": self.issue_type.name,
            "tier": TIER_NAMES[case.tier],
            "lane": LANE_NAMES[case.lane],
            "level": case.get_level_display(),
            "type": KIND_NAMES[case.kind],
            "score": str(case.score),
        }
        return {
            "key": case.key,
            "title": case.title,
            "texts": texts,
            "options": options,
            "classification": classification,
            "account": account_facts(self.account, at),
            "deadline": case.deadline.isoformat() if case.deadline else "",
            "missing": brief.missing(texts, options),
            "at": at.isoformat(),
        }
