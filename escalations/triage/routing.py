"""Send a triaged case to its level: matrix row, authority, people with letters and duties, first hand-off."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Account, Role, User
from accounts.people.queries import best_holder
from approvals.matrix.authority import Answer
from approvals.matrix.preview import who_for_everybody
from approvals.matrix.totals import Ask
from escalations import states
from escalations.cases import handoffs
from escalations.cases.log import Entry, record
from escalations.clocks import verbs as clocks
from escalations.models import CasePerson, Escalation, PolicyVersion, Stakeholder
from escalations.policy.rows import plain_rows
from escalations.policy.rules.levels import Ladder
from escalations.triage.rules import routing
from ledger.errors import Invalid

GIVEN = "Deadline given by the customer"


@dataclass(frozen=True)
class Destination:
    """The destination of a case and its people."""

    route: routing.Route
    owner: User | None
    authority: User | None
    answer: Answer | None


@dataclass(frozen=True)
class Asked:
    """The concession a customer asks for; an empty slug means none. Money with its currency."""

    concession: str = ""
    amount: Decimal | None = None
    currency: str = "USD"


def authority_need(
    ladder: Ladder, account: Account | None, asked: Asked, at: datetime
) -> tuple[routing.Need | None, Answer | None]:
    """The level and role that the ask needs; None without an ask. If nobody may grant it, the executive level decides
    what to do. The text is kept on the case and in its mails, so it leaves out earlier grants, which not all readers
    may see.
    """
    if not asked.concession:
        return None, None
    try:
        answer = who_for_everybody(Ask(asked.concession, asked.amount, asked.currency, account), at)
    except Invalid as error:
        return routing.Need(ladder.executive.rank, ladder.executive.role, error.message), None
    return routing.Need(ladder.rank_of(answer.role.level), answer.role.slug, answer.sentence), answer


def destination(
    policy: PolicyVersion,
    account: Account,
    *,
    issue_type: str,
    tier: str,
    asked: Asked,
    at: datetime,
    near: User | None = None,
) -> Destination:
    """The destination of a case with these facts; writes nothing. Raises Invalid when the matrix has no row."""
    ladder = policy.ladder
    need, answer = authority_need(ladder, account, asked, at)
    try:
        found = routing.route(plain_rows(policy), ladder, issue_type=issue_type, tier=tier, need=need)
    except routing.NoRoute as error:
        raise Invalid(f"{error} Ask operations to add one.", field="issue_type") from error
    owner = holder([found.owner_role], account, near) or holder(fallback(fallback_owner=True), account, near)
    covers = answer is not None and ladder.rank_of(answer.role.level) >= found.level
    authority = answer.person if answer and covers else None
    authority = authority or holder([found.role], account, owner or near)
    authority = authority or holder(fallback(fallback_decider=True), account, owner or near)
    return Destination(found, owner, authority, answer)


def fallback(**behaviour: bool) -> list[str]:
    """Roles that replace a matrix row's role that nobody holds, in their order."""
    return list(Role.objects.filter(**behaviour).order_by("sort", "name").values_list("slug", flat=True))


def holder(roles: list[str], account: Account, near: User | None, exclude: tuple[int, ...] = ()) -> User | None:
    """The first person found for the roles, in order."""
    for role in roles:
        if user := best_holder(role, account=account, near=near, exclude=exclude):
            return user
    return None


def route(
    case: Escalation, *, at: datetime, actor: User | None = None, override: routing.Override | None = None
) -> None:
    """Route a locked, triaged case and send its first hand-off. `override`: another level and the reason, logged.

    Raises Invalid when nobody can own it or the matrix has no row.
    """
    where = destination(
        case.policy,
        case.account,
        issue_type=case.issue_type.slug,
        tier=case.tier,
        asked=Asked(case.concession, case.amount, case.currency),
        at=at,
        near=case.opened_by,
    )
    if where.owner is None:
        raise Invalid("Nobody holds a role that could own this case. Ask an administrator to assign roles.")
    _keep(case, where, at, override)
    _staff(case, where, at)
    summary = f"Goes to {case.policy.ladder.label(case.level)}. {where.route.reasons[-1]}"
    data = {"row": where.route.row.id, "reasons": case.route_reasons, "level": case.level}
    record(case, [Entry(kind="routed", summary=summary, actor=actor, data=data)], at=at)
    clocks.start(case, states.RESPONSE, at=at)
    clocks.start(case, states.DECISION, at=at)
    start_rhythm(case, at)
    start_deadlines(case, at)
    handoffs.send(
        case, to=where.owner, role=where.route.owner_role, at=at, by=case.opened_by, notes=handoffs.Notes(summary)
    )


def _keep(case: Escalation, where: Destination, at: datetime, override: routing.Override | None) -> None:
    case.matrix_row_id = where.route.row.id
    case.level, case.kind, case.level_since = where.route.level, where.route.kind, at
    case.route_reasons = list(where.route.reasons)
    case.authority_reason = where.answer.sentence[:300] if where.answer else ""
    if override:
        if override.level is None:
            case.kind = states.OUTSIDE
        else:
            case.level = override.level
        case.route_reasons.append(f"Routing overridden to {override.label(case.policy.ladder)}: {override.reason}")
    fields = ["matrix_row", "level", "kind", "level_since", "route_reasons", "authority_reason"]
    case.save(update_fields=fields)


def start_rhythm(case: Escalation, at: datetime) -> None:
    """Start the clocks of the next customer update, internal update and, if the tier has one, check-in."""
    for kind in (states.CUSTOMER_UPDATE, states.INTERNAL_UPDATE, states.CHECK_IN):
        clocks.start(case, kind, at=at)


def start_deadlines(case: Escalation, at: datetime) -> None:
    """Start the resolution clock and the clock of the customer's date: a deal is resolved by that date; other cases
    have a separate clock for it."""
    if not case.issue_type.negotiation:
        clocks.start(case, states.RESOLUTION, at=at)
    start_deadline(case, at)


def start_deadline(case: Escalation, at: datetime) -> None:
    """Start the clock to the customer's date. A date in the past is ignored; then a deal has the policy's target."""
    kind = states.RESOLUTION if case.issue_type.negotiation else states.CUSTOMER_DEADLINE
    if case.deadline and case.deadline > at:
        clocks.start(case, kind, at=at, due_at=case.deadline, why=GIVEN)
    elif kind == states.RESOLUTION:
        clocks.start(case, kind, at=at)


def _staff(case: Escalation, where: Destination, at: datetime) -> None:
    """RACI from the stakeholder matrix with exactly one A, and the named duties. Owner and authority must still accept."""
    people: dict[tuple[int, str], CasePerson] = {}

    def add(user: User | None, letter: str, duty: str = "", accepted: bool = False) -> None:
        if user is not None and (user.pk, duty) not in people:
            accepted_at = at if accepted else None
            people[user.pk, duty] = CasePerson(
                case=case, user=user, letter=letter, duty=duty, since=at, accepted_at=accepted_at
            )

    add(where.authority, "A", CasePerson.AUTHORITY)
    add(where.owner, "R", CasePerson.OWNER)
    lead = case.account.csm or case.account.ae or case.opened_by or where.owner
    add(lead, "R", CasePerson.COMMUNICATION, accepted=lead == case.opened_by)
    for role, letter in _stakeholders(case):
        user = best_holder(role.slug, account=case.account, near=where.owner)
        named = {pk for pk, _ in people}
        if user is not None and user.pk not in named:
            add(user, "R" if letter == "A" else letter)
    if scribe := _scribe(case, list(people.values())):
        scribe.duty = CasePerson.SCRIBE
    CasePerson.objects.bulk_create(people.values())


def _stakeholders(case: Escalation) -> list[tuple[Role, str]]:
    rows = Stakeholder.objects.filter(version=case.policy, tier=case.tier).select_related("role")
    return [(row.role, row.letter) for row in rows]


def _scribe(case: Escalation, people: list[CasePerson]) -> CasePerson | None:
    """The scribe rotates by case number over the people without another duty; None if everybody has one."""
    free = [person for person in people if not person.duty]
    return free[case.pk % len(free)] if free else None
