"""The people of a case: who may take a duty, and the RACI letters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.cases import access_rows, notifications
from escalations.cases.access import check, decides
from escalations.cases.log import Entry, lock, record
from escalations.cases.rules import letters as rules
from escalations.models import CasePerson, Escalation, HandOff
from ledger import chain
from ledger.errors import Invalid, Stale
from ledger.now import now
from ledger.reading import has_words

NAMES = dict(CasePerson.DUTIES)
# Owner and decision authority: one person has both only with a note.
OTHER_HALF = {CasePerson.OWNER: CasePerson.AUTHORITY, CasePerson.AUTHORITY: CasePerson.OWNER}
WENT_ON = "the case went on to the next person by itself"


def check_person(case: Escalation, to: User, duty: str, why_both: str) -> None:
    """Raise Invalid with the field unless the person may be asked to take the duty of a locked case: active, of our company,
    not the one who has it; the decision authority decides at the level of the case and no request waits for somebody else;
    owner and decision authority are one person only with a note."""
    if not case.is_open:
        raise Invalid(f"{case.key} is {states.in_a_sentence(case.state)}. Reopen it first.", field="to")
    check_named(to)
    if any(row.user_id == to.pk and row.duty == duty and row.accepted_at for row in case.people.all()):
        raise Invalid(f"{to} is {NAMES[duty].lower()} already.", field="to")
    if duty == CasePerson.AUTHORITY:
        _check_authority(case, to)
    if duty in OTHER_HALF and not has_words(why_both) and _has(case, to, OTHER_HALF[duty]):
        words = f"{to} is also the {NAMES[OTHER_HALF[duty]].lower()}. Enter why one person owns the case and decides."
        raise Invalid(words, field="both")


def note_of_both(case: Escalation, to: User, duty: str) -> str:
    """Why one person owns the case and decides, if a hand-off that nobody chose makes it so; else ""."""
    return WENT_ON if _has(case, to, OTHER_HALF[duty]) else ""


def check_named(to: User, field: str = "to") -> None:
    """Raise Invalid unless the person may be named on a case: people who are named read all of it."""
    if not to.is_active or to.kind != User.PERSON:
        raise Invalid(f"{to} is not an active person. Choose someone else.", field=field)
    if to.is_external:
        raise Invalid(f"{to} is an external party and may not read the case. Choose a colleague.", field=field)


def _has(case: Escalation, user: User, duty: str) -> bool:
    """Whether a person has a duty, or is asked to take it."""
    if any(row.user_id == user.pk and row.duty == duty for row in case.people.all()):
        return True
    return case.handoffs.filter(duty=duty, to_user=user, state=HandOff.WAITING).exists()


def _check_authority(case: Escalation, to: User) -> None:
    if not decides(case, to):
        raise Invalid(f"{to} holds no role that decides at {case.policy.ladder.label(case.level)}.", field="to")
    made = case.requests.filter(state=ApprovalRequest.OPEN).order_by("-pk").first()
    if made is not None and made.approver != to:
        words = f"A request waits for a decision of {made.approver}, the decision authority. Delegate or escalate it."
        raise Invalid(words, field="to")


@dataclass(frozen=True)
class Letters:
    """New RACI letters by the id of the row; an empty letter takes the person off the case. `add` gets `add_letter`.
    `version`: the version of the case that was read."""

    version: int
    of: Mapping[int, str] = field(default_factory=dict)
    add: User | None = None
    add_letter: str = ""


@transaction.atomic
def set_letters(*, case_id: int, by: User, wanted: Letters) -> Escalation:
    """Change the RACI letters of the people on a case, take people off it, or add one. Raises NotAllowed, Stale if the case
    changed meanwhile, and Invalid unless exactly one person is Accountable, if a person with a duty is taken off, or if the
    owner would be accountable without the decision authority, which needs a note."""
    at, case = now(), lock(case_id)
    check(case, by, "roles")
    if wanted.version != case.version:
        raise Stale("The case has changed in the meantime. Read its roles again before you change them.")
    rows = list(case.people.select_related("user"))
    after = {row: wanted.of.get(row.pk, row.letter) for row in rows}
    for row, letter in after.items():
        if not letter and row.duty:
            raise Invalid(
                f"{row.user} is {NAMES[row.duty].lower()}. Hand the duty over first.", field=f"letter_{row.pk}"
            )
        if letter == rules.ACCOUNTABLE != row.letter and _owns_only(row, rows):
            words = f"{row.user} owns the case. Hand over the decision authority to make the owner accountable too."
            raise Invalid(words, field=f"letter_{row.pk}")
    _check_new(wanted, rows)
    kept = [(row.user.name, letter) for row, letter in after.items() if letter]
    if why := rules.why_not([*kept, *([(wanted.add.name, wanted.add_letter)] if wanted.add else [])]):
        raise Invalid(why)
    changes = _write(case, after)
    if wanted.add:
        case.people.create(user=wanted.add, letter=wanted.add_letter, since=at)
        changes.append(f"{wanted.add} added as {wanted.add_letter}")
    if changes:
        case.version += 1
        chain.save(case, ["version"])
        record(case, [Entry(kind="role", summary=f"RACI: {'; '.join(changes)}", actor=by)], at=at)
        access_rows.keep([case.pk])
    notifications.taken_off(case, [row.user for row, letter in after.items() if not letter and row.user != by], by)
    if wanted.add:
        notifications.named(case, wanted.add, by)
    return case


def _owns_only(row: CasePerson, rows: list[CasePerson]) -> bool:
    """Whether the person owns the case and does not decide it."""
    duties = {each.duty for each in rows if each.user_id == row.user_id}
    return CasePerson.OWNER in duties and CasePerson.AUTHORITY not in duties


def _check_new(wanted: Letters, rows: list[CasePerson]) -> None:
    if wanted.add is None:
        return
    if not wanted.add_letter:
        raise Invalid("Choose the letter of the person whom you add.", field="add_letter")
    check_named(wanted.add)
    if any(row.user_id == wanted.add.pk for row in rows):
        raise Invalid(f"{wanted.add} is on the case already. Change the letter above.", field="add")


def _write(case: Escalation, after: dict[CasePerson, str]) -> list[str]:
    """Write the letters that differ; returns what changed. The old A goes first, because there is only one."""
    changed = [(row, letter) for row, letter in after.items() if letter != row.letter]
    words = []
    for row, letter in sorted(changed, key=lambda each: each[1] == rules.ACCOUNTABLE):
        if letter:
            words.append(f"{row.user} {row.letter} → {letter}")
            case.people.filter(pk=row.pk).update(letter=letter)
        else:
            words.append(f"{row.user} taken off")
            case.people.filter(pk=row.pk).delete()
    return words
