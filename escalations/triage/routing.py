"""Send a triaged case to its level: matrix row, authority, people with letters and duties, first hand-off."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import Account, Role, User
from accounts.people.queries import Holders, Managers, best_holder
from approvals.matrix.authority import Answer
from approvals.matrix.preview import who_for_everybody
from escalations import states
from escalations.cases import handoffs
from escalations.cases.log import Entry, record
from escalations.clocks import verbs as clocks
from escalations.models import CasePerson, Escalation, PolicyVersion
from escalations.policy.rows import plain_rows, rows_of
from escalations.policy.rules.levels import Ladder
from escalations.triage.asked import Measured
from escalations.triage.rules import routing
from ledger import chain
from ledger.errors import Invalid
from ledger.json_types import JsonObject

GIVEN = "Deadline given by the customer"


@dataclass(frozen=True)
class Destination:
    """The destination of a case and its people. `stakeholders`: the people with a letter for its tier."""

    route: routing.Route
    owner: User | None
    owner_role: Role | None
    authority: User | None
    answer: Answer | None
    stakeholders: tuple[tuple[User, str], ...] = ()


def authority_need(ladder: Ladder, asked: Measured) -> tuple[routing.Need | None, Answer | None]:
    """The level and role that the ask needs; None without an ask. If nobody may grant it, the executive level decides
    what to do. The text is kept on the case and in its mails, so it leaves out earlier grants, which not all readers
    may see. It names no person, because the requester is not known yet and does not approve their own request.
    """
    executive = ladder.executive
    if asked.total is None:
        return (routing.Need(executive.rank, executive.role, asked.problem) if asked.problem else None), None
    try:
        answer = who_for_everybody(asked.total)
    except Invalid as error:
        return routing.Need(executive.rank, executive.role, error.message), None
    return routing.Need(ladder.rank_of(answer.role.level), answer.role.slug, answer.rule["sentence"]), answer


def destination(
    policy: PolicyVersion, account: Account, *, issue_type: str, tier: str, asked: Measured, near: User | None = None
) -> Destination:
    """The destination of a case with these facts; writes nothing. Raises Invalid when the matrix has no row."""
    ladder, roles = policy.ladder, Role.objects.in_bulk()
    need, answer = authority_need(ladder, asked)
    try:
        found = routing.route(plain_rows(policy, roles), ladder, issue_type=issue_type, tier=tier, need=need)
    except routing.NoRoute as error:
        raise Invalid(f"{error} Ask operations to add one.", field="issue_type") from error
    in_order = sorted(roles.values(), key=lambda role: (role.sort, role.name))
    owners = [found.owner_role, *(role.slug for role in in_order if role.fallback_owner)]
    deciders = [found.role, *(role.slug for role in in_order if role.fallback_decider)]
    letters = [(roles[row.role_id], row.letter) for row in rows_of(policy).stakeholders if row.tier == tier]
    letters.sort(key=lambda each: each[0].sort)
    managers = asked.total.managers if asked.total else Managers()
    holders = Holders({*owners, *deciders, *(role.slug for role, _ in letters)}, managers)

    def first(slugs: list[str], close_to: int | None) -> int | None:
        best = (holders.best(slug, account=account, near=close_to) for slug in slugs)
        return next((pk for pk in best if pk), None)

    opener = near.pk if near else None
    owner = first(owners, opener)
    covers = answer is not None and ladder.rank_of(answer.role.level) >= found.level
    authority = answer.person.pk if answer and covers else first(deciders, owner or opener)
    named = [(holders.best(role.slug, account=account, near=owner), letter) for role, letter in letters]
    people = User.objects.in_bulk({pk for pk in (owner, authority, *(pk for pk, _ in named)) if pk})
    return Destination(
        found,
        people.get(owner or 0),
        next((role for role in roles.values() if role.slug == found.owner_role), None),
        people.get(authority or 0),
        answer,
        tuple((people[pk], letter) for pk, letter in named if pk),
    )


def holder(roles: list[str], account: Account, near: User | None, exclude: tuple[int, ...] = ()) -> User | None:
    """The first person found for the roles, in order."""
    for role in roles:
        if user := best_holder(role, account=account, near=near, exclude=exclude):
            return user
    return None


def route(
    case: Escalation,
    where: Destination,
    *,
    at: datetime,
    actor: User | None = None,
    override: routing.Override | None = None,
) -> list[User]:
    """Route a locked, triaged case to its destination and send its first hand-off; returns the people who are named on it.
    `override`: another level and the reason, logged. Raises Invalid when nobody can own it.
    """
    if where.owner is None:
        raise Invalid("Nobody holds a role that could own this case. Ask an administrator to assign roles.")
    _keep(case, where, at, override)
    named = _staff(case, where, at)
    summary = f"Goes to {case.policy.ladder.label(case.level)}. {where.route.reasons[-1]}"
    if where.owner == where.authority:
        summary += f" {where.owner.name} owns and decides, because the matrix names nobody else."
    data: JsonObject = {"row": where.route.row.id, "reasons": case.route_reasons, "level": case.level}
    record(case, [Entry(kind="routed", summary=summary, actor=actor, data=data)], at=at)
    clocks.start(case, states.RESPONSE, at=at)
    clocks.start(case, states.DECISION, at=at)
    start_rhythm(case, at, unowned=True)
    start_deadlines(case, at)
    handoffs.send(case, to=where.owner, role=where.owner_role, at=at, by=case.opened_by, notes=handoffs.Notes(summary))
    return named


def _keep(case: Escalation, where: Destination, at: datetime, override: routing.Override | None) -> None:
    case.matrix_row_id = where.route.row.id
    case.level, case.kind, case.level_since = where.route.level, where.route.kind, at
    case.route_reasons = list(where.route.reasons)
    case.authority_reason = where.answer.rule["sentence"][:300] if where.answer else ""
    if override:
        if override.level is None:
            case.kind = states.OUTSIDE
        else:
            case.level = override.level
        case.route_reasons.append(f"Routing overridden to {override.label(case.policy.ladder)}: {override.reason}")
    chain.save(case, ["matrix_row_id", "level", "kind", "level_since", "route_reasons", "authority_reason"])


def start_rhythm(case: Escalation, at: datetime, *, unowned: bool = False) -> None:
    """Start the clocks of the next customer update, internal update and, if the tier has one, check-in. `unowned`: an owner
    must still accept; before that nobody can keep the promise of an internal update."""
    for kind in (states.CUSTOMER_UPDATE, states.INTERNAL_UPDATE, states.CHECK_IN):
        if unowned and kind == states.INTERNAL_UPDATE:
            clocks.start_after(case, kind, states.ACCEPTANCE, at=at, why="Not before an owner must have accepted")
        else:
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


def _staff(case: Escalation, where: Destination, at: datetime) -> list[User]:
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
    for user, letter in where.stakeholders:
        if user.pk not in {pk for pk, _ in people}:
            add(user, "R" if letter == "A" else letter)
    if scribe := _scribe(case, list(people.values())):
        scribe.duty = CasePerson.SCRIBE
    CasePerson.objects.bulk_create(people.values())
    return [person.user for person in people.values()]


def _scribe(case: Escalation, people: list[CasePerson]) -> CasePerson | None:
    """The scribe rotates by case number over the people without another duty; None if everybody has one."""
    free = [person for person in people if not person.duty]
    return free[case.pk % len(free)] if free else None
