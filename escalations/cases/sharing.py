"""Sharing with external parties. They get a thread of their own; all of it stands on the case for our people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from escalations.cases import notifications
from escalations.cases.access import check
from escalations.cases.files import Place, attach, notes
from escalations.cases.log import Entry, lock, record
from escalations.models import CaseFile, CasePerson, Escalation, Event, SharedPost, SharedThread
from ledger.errors import Invalid, NotThere
from ledger.files.uploads import Upload
from ledger.format import counted, weekday
from ledger.json_types import JsonObject
from ledger.now import now
from ledger.reading import has_words
from messaging.kinds import Content
from messaging.outbox import messages as outbox
from messaging.outbox.rules.kinds import SHARED


@dataclass(frozen=True)
class With:
    """What goes with a text. `uploads` are new files, `chosen` files of the case, which only our people choose. `answer_by`
    makes the text of our people a question; `answers` are the open questions of the thread that the text closes."""

    uploads: Sequence[Upload] = ()
    chosen: Sequence[CaseFile] = ()
    answer_by: date | None = None
    answers: Sequence[SharedPost] = ()


def threads_of(party: User) -> QuerySet[SharedThread]:
    """The threads that an external party sees; none for anybody else."""
    if not party.is_external or not party.is_active:
        return SharedThread.objects.none()
    return SharedThread.objects.filter(party=party, ended_at=None)


def files_of(party: User) -> QuerySet[CaseFile]:
    """The files that an external party may download: those of posts in the threads that they see."""
    return CaseFile.objects.filter(shared_posts__thread__in=threads_of(party)).distinct()


def to_choose_from(case: Escalation) -> QuerySet[CaseFile]:
    """The files of a case that our people may share, the newest first."""
    return case.files.downloadable().order_by("-at", "-pk")


@transaction.atomic
def share(*, case_id: int, by: User, party: User, subject: str, text: str, more: With = With()) -> SharedThread:
    """Open a thread with an external party on a case. Raises NotAllowed, and Invalid with the field unless `party` is an
    active external party and subject and text are there, for a day that is over and for files that are not of the case or
    are held; NotStored for a file that cannot be kept."""
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
    _write(thread, case, by, text, more)
    return thread


@transaction.atomic
def write(*, thread_id: int, by: User, text: str, more: With = With()) -> SharedPost:
    """Write in a shared thread: the external party in a thread of their own, or people who may share on the case. Raises
    NotThere for anybody else's thread, Invalid without a text or for a thread that has ended, and as `share` does for what
    goes with the text."""
    thread = SharedThread.objects.select_related("party").get(pk=thread_id)
    case = lock(thread.case_id)
    thread.refresh_from_db(fields=["ended_at"])
    if by.is_external:
        if not threads_of(by).filter(pk=thread.pk).exists():
            raise NotThere("There is no such page.")
    else:
        check(case, by, "share")
    if thread.ended_at:
        raise Invalid("This thread has ended. Open a new one.", field="text")
    return _write(thread, case, by, text, more)


def _write(thread: SharedThread, case: Escalation, by: User, text: str, more: With) -> SharedPost:
    outward, at = by.pk != thread.party_id, now()
    _check(case, by, text, more, outward)
    made = SharedPost.objects.create(thread=thread, by=by, at=at, text=text.strip(), answer_by=more.answer_by)
    asked = _answered(thread, made, more.answers)
    event = _note(thread, case, made, more, asked)
    uploaded = attach(case, more.uploads, Place(CaseFile.SHARED, by, at, event=event))
    made.files.set([*more.chosen, *uploaded])
    if outward:
        _mail_party(thread, made)
    else:
        people = [case.owner, thread.opened_by, *notifications.people_of(case, CasePerson.COMMUNICATION)]
        people += [each.by for each in asked]
        notifications.party_wrote(case, thread, [each for each in people if each], made, answers=bool(asked))
    return made


def _check(case: Escalation, by: User, text: str, more: With, outward: bool) -> None:
    if not has_words(text):
        raise Invalid("Enter the text.", field="text")
    if not outward and (more.chosen or more.answer_by):
        raise Invalid("Only the people of the case ask questions and share its files.", field="text")
    if more.answer_by and more.answer_by < now().astimezone(ZoneInfo(by.zone)).date():
        raise Invalid("The day is over. Enter today or a later day.", field="answer_by")
    chosen = {each.pk for each in more.chosen}
    if to_choose_from(case).filter(pk__in=chosen).count() != len(chosen):
        raise Invalid("Choose files of this case that can be downloaded.", field="chosen")


def _answered(thread: SharedThread, made: SharedPost, answers: Sequence[SharedPost]) -> list[SharedPost]:
    """The open questions that the post closes. One that was closed meanwhile, or is of another thread, is left out."""
    wanted = [each.pk for each in answers]
    asked = list(thread.posts.open_questions().filter(pk__in=wanted).select_related("by")) if wanted else []
    SharedPost.objects.filter(pk__in=[each.pk for each in asked]).update(answer=made)
    return asked


def _note(thread: SharedThread, case: Escalation, made: SharedPost, more: With, asked: Sequence[SharedPost]) -> Event:
    """The post as an entry of the case, for our people."""
    way = f"To {thread.party}" if made.by_id != thread.party_id else f"From {thread.party}"
    words = [f"{way}, external party: {thread.subject}"]
    if made.answer_by:
        words.append(f"Answer needed by {weekday(made.answer_by)}")
    if asked:
        words.append(f"Closes {counted(len(asked), 'question')}")
    if more.chosen:
        words.append(f"Shares {counted(len(more.chosen), 'file')} of the case")
    files: list[JsonObject] = [
        {"name": each.name, "sha256": each.file.sha256 if each.file else "", "size": each.size} for each in more.chosen
    ]
    files += notes(more.uploads)
    data: JsonObject = {"shared": thread.pk, "post": made.pk, **({"files": [*files]} if files else {})}
    summary, inside = ". ".join(words), Event.INTERNAL
    entry = Entry(kind="shared", audience=inside, actor=made.by, summary=summary, text=made.text, data=data)
    return record(case, [entry], at=made.at)[0]


def _mail_party(thread: SharedThread, made: SharedPost) -> None:
    """The mail holds what was written to them and nothing of the case, not even its number."""
    url = f"{settings.SITE_URL}/shared/{thread.pk}/"
    words = [made.text]
    if made.answer_by:
        words.append(f"Please answer by {weekday(made.answer_by)}.")
    if names := [each.name for each in made.files.all()]:
        words.append("Files:\n" + "\n".join(names))
    words += [made.by.name, f"{'Answer' if made.answer_by else 'Read and answer'} here: {url}"]
    content = Content(thread.subject, "\n\n".join(words), "")
    outbox.post(key=f"shared:{made.pk}", kind=SHARED, to=thread.party, content=content)


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
