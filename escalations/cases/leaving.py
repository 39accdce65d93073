"""What a person who left had on cases: it moves on by the matrix, else to the manager, else the case needs an owner."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Departure, MovedOn, Role, User
from accounts.people import leaving
from escalations import states
from escalations.cases import access_rows, handoffs, notifications, sharing
from escalations.cases import requests as asking
from escalations.cases.handoffs import Notes
from escalations.cases.log import Entry, lock_with_requests, record
from escalations.cases.queries import open_work
from escalations.clocks import verbs as clocks
from escalations.clocks.book import together
from escalations.models import CasePerson, Commitment, Escalation, HandOff, Review, SharedThread
from escalations.triage import routing
from escalations.triage.asked import Asked, measure
from ledger import chain
from ledger.errors import Invalid
from ledger.now import now

DUTY_NAMES = dict(CasePerson.DUTIES)
NOBODY_ELSE = "the matrix and the reporting line name nobody else"


@dataclass
class Going:
    """A person leaves a locked case. `where` is what the matrix says of the case today, None without a row of it; `above` is
    the person's manager; `owner` has or is asked to take the case once its owner duty has moved."""

    case: Escalation
    user: User
    departure: Departure
    at: datetime
    where: routing.Destination | None
    above: User | None
    owner: User | None = None
    moved: list[str] = field(default_factory=list)

    def note(self, what: str, to: User | None, *, title: str = "", tail: str = "roles/", state: str = "") -> None:
        """Keep where one piece of work went. Its title stands in the log of the case only, which may be confidential."""
        self.moved.append(f"{what}{title} → {to.name if to else 'nobody'}")
        url = notifications.case_url(self.case, tail)
        leaving.note(self.departure, what=f"{self.case.key}: {what}", url=url, to=to, state=state)

    def first(self, *people: User | None, but: Iterable[User | None] = ()) -> User | None:
        """The first active one of the people, then the manager. People in `but` are taken only if there is nobody else."""
        found = [each for each in (*people, self.above) if each and each.is_colleague and each.pk != self.user.pk]
        apart = {each.pk for each in but if each}
        return next((each for each in found if each.pk not in apart), next(iter(found), None))


def move_on(departure: Departure, most: int) -> int:
    """Move at most `most` cases of a person who left, each in its own transaction; returns how many."""
    ids = open_work.cases_of(departure.user)
    moved = leaving.each_piece(departure, ids, _url, lambda pk: leave(pk, departure), most=most)
    return moved or _loose_commitments(departure, most) or _shared_threads(departure, most)


def _url(case_id: int) -> str:
    return f"/escalations/ESC-{case_id}/"


def leave(case_id: int, departure: Departure) -> None:
    """Everything that is open on one case and names the person who left goes to others, who are told."""
    case = lock_with_requests(case_id)
    if case.pk in open_work.cases_of(departure.user, of=case.pk):
        _hand_on(case, departure, now())


def _hand_on(case: Escalation, departure: Departure, at: datetime) -> None:
    user = departure.user
    going = Going(case, user, departure, at, _destination(case, at), leaving.heir(user))
    with together(case):
        _owner(going)
        if case.is_open:
            _duties(going)
        _tracker(going)
        _review(going)
        summary = f"{departure.words}: {'; '.join(going.moved)}"
        record(case, [Entry(kind="left", summary=summary, data={"user": user.pk, "departure": departure.pk})], at=at)
    access_rows.keep([case.pk])
    notifications.left(case, departure.pk, summary)


def _destination(case: Escalation, at: datetime) -> routing.Destination | None:
    asked = measure(Asked(case.concession, case.amount, case.currency), case.account, at)
    kind, near = case.issue_type.slug, case.opened_by
    try:
        return routing.destination(case.policy, case.account, issue_type=kind, tier=case.tier, asked=asked, near=near)
    except Invalid:
        return None


def _owner(going: Going) -> None:
    """A case without its owner needs an owner until somebody accepts it; the next one is asked."""
    case, user = going.case, going.user
    waiting = case.handoffs.filter(state=HandOff.WAITING, duty=CasePerson.OWNER).select_related("to_user").first()
    asked = waiting.to_user if waiting and waiting.to_user.is_colleague else None
    going.owner = asked or (case.owner if case.owner and case.owner.is_colleague else None)
    owns = case.is_open and case.owner_id == user.pk
    if owns:
        case.owner = None
        case.version += 1
        chain.save(case, ["owner", "version"])
    if not owns and not (waiting and waiting.to_user_id == user.pk):
        return
    if asked is None:
        to = going.first(going.where.owner if going.where else None, but=[_authority(case)])
        give_owner(case, to, going.departure.words, going.at)
        going.owner = _asked_to_own(case)
    asked_words = ", asked to accept" if going.owner else ""
    going.note(f"{DUTY_NAMES[CasePerson.OWNER].lower()}{asked_words}", going.owner)


def give_owner(case: Escalation, to: User | None, why: str, at: datetime) -> None:
    """Ask the next owner of a locked case in place of a person who has left; without one, operations are told."""
    if to is not None:
        both = NOBODY_ELSE if _authority(case) == to else ""
        handoffs.send(case, to=to, at=at, by=None, notes=Notes(why, both=both))
        return
    handoffs.settle(case, duty=CasePerson.OWNER, by=None, at=at)
    clocks.stop(case, states.ACCEPTANCE, at=at, outcome="stopped")
    notifications.nobody(case, "escalation owner")


def without_people_who_left(case: Escalation, at: datetime) -> None:
    """A locked case that is open again: what people who left meanwhile had on it goes to the next ones."""
    named = {row.user_id for row in case.people.all()} | {case.owner_id}
    gone = Departure.objects.filter(user__in=named - {None}, returned_at=None).select_related("user").order_by("pk")
    for departure in gone:
        _hand_on(case, departure, at)


def _asked_to_own(case: Escalation) -> User | None:
    waiting = case.handoffs.filter(state=HandOff.WAITING, duty=CasePerson.OWNER).select_related("to_user").first()
    return waiting.to_user if waiting else None


def _authority(case: Escalation) -> User | None:
    named = case.people.filter(duty=CasePerson.AUTHORITY).select_related("user").first()
    return named.user if named and named.user.is_colleague else None


def _duties(going: Going) -> None:
    """Each duty goes to the next person at once, so that the work can go on, and waits for that person's answer."""
    case, user = going.case, going.user
    held = {row.duty: row for row in case.people.filter(user=user)}
    asked = case.handoffs.filter(state=HandOff.WAITING, to_user=user).exclude(duty=CasePerson.OWNER)
    asked_duties = set(asked.values_list("duty", flat=True))
    asked.update(state=HandOff.REPLACED, answered_at=going.at)
    case.people.filter(user=user).delete()
    for duty in (CasePerson.AUTHORITY, CasePerson.COMMUNICATION, CasePerson.SCRIBE):
        if duty in held:
            _duty(going, duty, _next_for(going, duty))
        elif duty in asked_duties:
            # The person who has the duty keeps it.
            going.note(f"hand-off of the {DUTY_NAMES[duty].lower()} duty", None, state=MovedOn.ENDED)
    if "" in held:
        _stakeholders(going)


def _next_for(going: Going, duty: str) -> User | None:
    case, account = going.case, going.case.account
    if duty == CasePerson.AUTHORITY:
        decides = going.where.authority if going.where and going.where.route.level >= case.level else None
        level = case.policy.ladder.find(case.level)
        holder = routing.holder([level.role], account, going.owner) if level and level.role else None
        return asking.asked_now(case) or going.first(decides, holder, but=[going.owner])
    if duty == CasePerson.COMMUNICATION:
        return going.first(account.csm, account.ae, case.opened_by, going.owner)
    free = case.people.filter(duty="").select_related("user")
    return going.first(*(each.user for each in free if each.user.is_colleague), going.owner)


def _duty(going: Going, duty: str, to: User | None) -> None:
    case, name = going.case, DUTY_NAMES[duty].lower()
    going.note(name, to)
    if to is None:
        notifications.nobody(case, name)
        return
    current = case.people.filter(duty=duty).first()
    if current and current.user_id == to.pk:
        return
    letter = "A" if duty == CasePerson.AUTHORITY else "R"
    handoffs.replace_duty(case, to, duty, letter, going.at, accepted=False)
    both = NOBODY_ELSE if duty == CasePerson.AUTHORITY and to == going.owner else ""
    notes = Notes(going.departure.words, both=both)
    handoffs.send(case, to=to, at=going.at, by=None, duty=duty, notes=notes)


def _stakeholders(going: Going) -> None:
    """The people of the stakeholder matrix who are not on the case yet. A confidential case names nobody by itself."""
    stakeholders = going.where.stakeholders if going.where and not going.case.confidential else ()
    known = set(going.case.people.values_list("user", flat=True))
    new = [pair for pair in stakeholders if pair[0].pk not in known]
    for user, letter in new:
        going.case.people.create(user=user, letter="R" if letter == "A" else letter, since=going.at)
    to = new[0][0] if new else None
    going.note("named as stakeholder", to, state="" if to else MovedOn.ENDED)


def _tracker(going: Going) -> None:
    """Actions and commitments go to the owner of the case, else to the manager, else to operations."""
    case, user = going.case, going.user
    to = going.first(going.owner) or _somebody()
    for action in case.actions.filter(owner=user, state__in=open_work.UNDONE):
        if to is not None:
            action.owner = to
            action.save(update_fields=["owner"])
            notifications.action_given(case, action, None)
        going.note("action", to, title=f" “{action.title}”", tail="tracker/")
    for made in case.commitments.filter(owner=user, state=Commitment.OPEN):
        _take_over(made, to)
        going.note("commitment", to, title=f" “{made.text}”", tail="tracker/")


def _somebody() -> User | None:
    return User.objects.holding(Role.objects.filter(operations=True).values_list("slug", flat=True)).first()


def _take_over(made: Commitment, to: User | None) -> None:
    if to is not None:
        made.owner = to
        made.save(update_fields=["owner"])
        notifications.commitment_given(made)


def _review(going: Going) -> None:
    review = Review.objects.filter(case=going.case, reviewer=going.user, state=Review.OPEN).first()
    if review is None:
        return
    review.reviewer = going.first(going.owner) or _somebody()
    review.save(update_fields=["reviewer"])
    notifications.review_given(going.case, review)
    going.note("review", review.reviewer, tail="review/")


def _shared_threads(departure: Departure, most: int) -> int:
    """Threads of an external party who left end."""
    if departure.kind == Departure.EXTERNAL:
        return 0
    rows = SharedThread.objects.filter(party=departure.user, ended_at=None).order_by("pk").values_list("pk", flat=True)

    def end(pk: int) -> None:
        thread = sharing.end_for(departure.user, pk)
        url, what = (
            f"/escalations/ESC-{thread.case_id}/shared/{pk}/",
            f"ESC-{thread.case_id}: thread of the external party",
        )
        leaving.note(departure, what=what, url=url, to=None, state=MovedOn.ENDED)

    return leaving.each_piece(departure, rows, lambda pk: f"/shared/{pk}/", end, most=most)


def _loose_commitments(departure: Departure, most: int) -> int:
    """Commitments of an account without a case go to its CSM."""
    rows = Commitment.objects.filter(owner=departure.user, state=Commitment.OPEN, case=None).order_by("pk")
    accounts = dict(rows.values_list("pk", "account_id"))

    def url(pk: int) -> str:
        return f"/accounts/{accounts[pk]}/#commitment-{pk}"

    def move(pk: int) -> None:
        made = rows.select_for_update(of=("self",)).select_related("account__csm").get(pk=pk)
        named = made.account.csm
        to = named if named and named.is_colleague else leaving.heir(departure.user) or _somebody()
        _take_over(made, to)
        what = f"{made.account.name}: commitment “{made.text}”"
        leaving.note(departure, what=what, url=url(pk), to=to)

    return leaving.each_piece(departure, list(accounts), url, move, most=most)
