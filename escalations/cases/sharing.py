"""Sharing with external parties. They get a thread of their own; all of it stands on the case for our people."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from escalations.cases import notifications
from escalations.cases.access import check
from escalations.cases.log import Entry, lock, record
from escalations.models import CasePerson, Escalation, Event, SharedPost, SharedThread
from ledger.errors import Invalid, NotThere
from ledger.now import now
from ledger.reading import has_words
from messaging.kinds import Content
from messaging.outbox import messages as outbox


def threads_of(party: User) -> QuerySet[SharedThread]:
    """The threads that an external party sees; none for anybody else."""
    if not party.is_external or not party.is_active:
        return SharedThread.objects.none()
    return SharedThread.objects.filter(party=party, ended_at=None)


@transaction.atomic
def share(*, case_id: int, by: User, party: User, subject: str, text: str) -> SharedThread:
    """Open a thread with an external party on a case. Raises NotAllowed, and Invalid with the field unless `party` is an
    active external party and subject and text are there."""
    at, case = now(), lock(case_id)
    check(case, by, "share")
    if not party.is_active or not party.is_external:
        raise Invalid(
            f"{party} is not an external party. Write to colleagues in the thread of the case.", field="party"
        )
    if not has_words(subject):
        raise Invalid("Enter a subject that the external party may read.", field="subject")
    thread = SharedThread.objects.create(
        case=case, party=party, subject=subject.strip()[:160], opened_by=by, opened_at=at
    )
    _write(thread, case, by, text, at)
    return thread


@transaction.atomic
def write(*, thread_id: int, by: User, text: str) -> SharedPost:
    """Write in a shared thread: the external party in a thread of their own, or people who may share on the case. Raises
    NotThere for anybody else's thread, Invalid without a text or for a thread that has ended."""
    thread = SharedThread.objects.select_related("party").get(pk=thread_id)
    at, case = now(), lock(thread.case_id)
    thread.refresh_from_db(fields=["ended_at"])
    if by.is_external:
        if not threads_of(by).filter(pk=thread.pk).exists():
            raise NotThere("There is no such page.")
    else:
        check(case, by, "share")
    if thread.ended_at:
        raise Invalid("This thread has ended. Open a new one.", field="text")
    return _write(thread, case, by, text, at)


def _write(thread: SharedThread, case: Escalation, by: User, text: str, at: datetime) -> SharedPost:
    if not has_words(text):
        raise Invalid("Enter the text.", field="text")
    outward = by.pk != thread.party_id
    made = SharedPost.objects.create(thread=thread, by=by, at=at, text=text.strip(), question=outward)
    way = f"To {thread.party}" if outward else f"From {thread.party}"
    summary = f"{way}, external party: {thread.subject}"
    data = {"shared": thread.pk, "post": made.pk}
    record(
        case,
        [Entry(kind="shared", audience=Event.INTERNAL, actor=by, summary=summary, text=made.text, data=data)],
        at=at,
    )
    if outward:
        _mail_party(thread, made)
    else:
        people = [case.owner, thread.opened_by, *notifications.people_of(case, CasePerson.COMMUNICATION)]
        notifications.party_wrote(case, thread, [each for each in people if each], made)
    return made


def _mail_party(thread: SharedThread, made: SharedPost) -> None:
    """The mail holds what was written to them and nothing of the case, not even its number."""
    url = f"{settings.SITE_URL}/shared/{thread.pk}/"
    text = f"{made.text}\n\n{made.by.name}\n\nAnswer here: {url}"
    content = Content(thread.subject, text, "")
    outbox.post(key=f"shared:{made.pk}", kind="shared", to=thread.party, content=content)


@transaction.atomic
def end(*, thread_id: int, by: User) -> SharedThread:
    """End a shared thread: the external party no longer sees it. Raises NotAllowed. Ending it twice has no further effect."""
    thread = SharedThread.objects.select_related("party").get(pk=thread_id)
    case = lock(thread.case_id)
    check(case, by, "share")
    _end(thread, case, by)
    return thread


@transaction.atomic
def end_for(party: User, thread_id: int) -> SharedThread:
    """End a thread of an external party who has left."""
    thread = SharedThread.objects.select_related("party").get(pk=thread_id, party=party)
    _end(thread, lock(thread.case_id), None)
    return thread


def _end(thread: SharedThread, case: Escalation, by: User | None) -> None:
    at = now()
    if SharedThread.objects.filter(pk=thread.pk, ended_at=None).update(ended_at=at):
        summary = f"The thread with {thread.party} has ended: {thread.subject}"
        record(case, [Entry(kind="shared_end", summary=summary, actor=by, data={"shared": thread.pk})], at=at)
