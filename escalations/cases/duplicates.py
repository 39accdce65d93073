"""Two cases about one issue: one carries on, the other leads to it."""

from datetime import datetime

from accounts.models import User
from escalations import states
from escalations.cases import access_rows, notifications
from escalations.cases.log import Entry, locking, record
from escalations.models import Action, CasePerson, Escalation, Event
from ledger.errors import Invalid
from ledger.format import counted, recorded

# What people wrote on a case; its entry on the other case says where it stood first.
WRITTEN = (Event.UPDATE, Event.CUSTOMER_UPDATE, Event.CUSTOMER_MESSAGE, Event.NOTE_DECISION, "signal", "merged")
KIND_NAMES = {
    Event.CUSTOMER_UPDATE: "customer update",
    Event.CUSTOMER_MESSAGE: "customer message",
    Event.NOTE_DECISION: "decision",
    "signal": "signal",
}


def original_of(case: Escalation) -> Escalation:
    """The original of a duplicate, through chains. A circle, or an original of another account, ends the way."""
    seen, at = {case.pk}, case
    while at.state == states.DUPLICATE and at.duplicate_of is not None:
        if at.duplicate_of.account_id != case.account_id:
            return at
        if at.duplicate_of_id in seen:
            return case
        at = at.duplicate_of
        seen.add(at.pk)
    return at


def lock_both(case_id: int, of_id: int) -> tuple[Escalation, Escalation]:
    """The case and the one that carries it on, locked in order of their ids."""
    found = {case.pk: case for case in locking().filter(pk__in=[case_id, of_id]).order_by("pk")}
    return found[case_id], found[of_id]


def check_original(case: Escalation, of: Escalation, by: User) -> None:
    """Raise Invalid unless `of` is another open case of the same account that `by` sees, and that everybody who reads it may
    read this one."""
    if of.pk == case.pk:
        raise Invalid(
            f"{case.key} cannot be a duplicate of itself. Choose another open case of the account.", field="of"
        )
    if not Escalation.objects.visible_to(by).filter(pk=of.pk).exists():
        raise Invalid("There is no such case. Choose another open case of the account.", field="of")
    if of.account_id != case.account_id:
        words = f"{of.key} belongs to {of.account.name}. Choose a case of {case.account.name}."
        raise Invalid(words, field="of")
    if not of.is_open:
        state = states.in_a_sentence(of.state)
        raise Invalid(f"{of.key} is {state}. Reopen it first, or choose another open case of the account.", field="of")
    if case.confidential and not of.confidential:
        words = f"{case.key} is confidential and {of.key} is not. Its thread would be read by more people."
        raise Invalid(words, field="of")


def carry_over(case: Escalation, of: Escalation, *, by: User, at: datetime) -> None:
    """What people wrote on a case that ends, its open actions, the people who follow it and its own duplicates go to the locked
    case that carries on."""
    count = _copy_thread(case, of, by, at)
    _move_actions(case, of)
    people = _follow(case, of, at)
    case.duplicates.update(duplicate_of=of)
    summary = f"{case.key} “{case.title}” is merged into this case: {counted(count, 'post')}, "
    summary += counted(len(people), "more person", "more people")
    record(of, [Entry(kind="merged_in", summary=summary, actor=by, data={"case": case.pk})], at=at)
    access_rows.keep([of.pk])
    notifications.merged(case, of, people, by)


def _copy_thread(case: Escalation, of: Escalation, by: User, at: datetime) -> int:
    replaced = case.events.filter(replaces__isnull=False).values("replaces")
    written = case.events.filter(kind__in=WRITTEN).exclude(pk__in=replaced).select_related("text").order_by("seq")
    entries = [
        Entry(
            kind="merged",
            audience=event.audience,
            actor=event.actor,
            actor_name=event.actor_name,
            summary=event.summary if event.kind == "merged" else _from(case, event),
            text=event.text.body if event.text else "",
            data={"case": case.pk, "seq": event.seq},
        )
        for event in written
    ]
    record(of, entries, at=at)
    return len(entries)


def _from(case: Escalation, event: Event) -> str:
    """Where a post stood first: `From ESC-1074, decision, 2026-11-29 21:08 UTC`."""
    kind = KIND_NAMES.get(event.kind, "")
    return ", ".join(part for part in (f"From {case.key}", kind, recorded(event.at)) if part)


def _move_actions(case: Escalation, of: Escalation) -> None:
    """Actions that carry out a decision stay: their proof belongs to the case that was decided."""
    case.actions.filter(state__in=[Action.OPEN, Action.BLOCKED], execution=False).update(case=of)


def _follow(case: Escalation, of: Escalation, at: datetime) -> list[User]:
    """The people of the case are informed of the other; a confidential one names nobody by itself."""
    if of.confidential:
        return []
    known = set(of.people.values_list("user", flat=True))
    rows = case.people.select_related("user")
    new = {row.user_id: row.user for row in rows if row.user_id not in known and row.user.is_active}
    people = [user for user in new.values() if not user.is_external]
    CasePerson.objects.bulk_create(CasePerson(case=of, user=user, letter="I", since=at) for user in people)
    return people
