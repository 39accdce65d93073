"""Kinds of messages about a case."""

from collections.abc import Sequence

from django.db import transaction

from accounts.models import Contact
from escalations.cases.models.files import HELD
from escalations.cases.notifications.common import case_url, facts_of, moment_for, notice, people_of
from escalations.models import CaseFile, CasePerson, Event, HandOff
from ledger import files
from ledger.models import StoredFile
from messaging.channels.base import TryLater
from messaging.kinds import Attachments, Content, File, MessageKind
from messaging.models import Message
from messaging.outbox.layout import render


class CustomerUpdate(MessageKind):
    """An update to the customer's people, sent as written: `customer-update:ENTRY:CONTACT`."""

    prefix = "customer-update"
    by_person = True

    def still_wanted(self, message: Message) -> bool:
        """Always: its author sent it to the customer."""
        return True

    def attachments(self, message: Message, *, leaves: bool) -> Attachments:
        """The files of the entry. One that was held or has gone missing meanwhile is left out, and the author is told. Raises
        TryLater while a file cannot be read, such as from a share that is away."""
        if not leaves:
            return Attachments()
        entry, _ = self.parts(message)
        taken, left = [], []
        for row in CaseFile.objects.filter(event=int(entry), audience="customer").to_show():
            file, why = _content_of(row)
            if file:
                taken.append(file)
            else:
                left.append(f"“{row.name}”. {why}")
        if left:
            _tell_author(message, int(entry), left)
        return Attachments(files=taken)

    def bounced(self, message: Message, *, key: str, how: str) -> None:
        """Mark the contact, and tell the communication lead, or the owner if there is none."""
        entry_id, contact_id = map(int, self.parts(message))
        entry = Event.objects.select_related("case__account", "case__owner").get(pk=entry_id)
        contact = Contact.objects.get(pk=contact_id)
        if contact.email.lower() == message.address.lower():
            contact.bounced_address = contact.email
            contact.save(update_fields=["bounced_address"])
        case = entry.case
        told = people_of(case, CasePerson.COMMUNICATION) or [user for user in (case.owner, entry.actor) if user][:1]
        text = f"{case.key}: your update did not reach {contact.name}, {message.address}. {how}"
        notice(case, told, key=f"{key}:{message.pk}", kind="customer", text=text, urgent=True)


def _content_of(row: CaseFile) -> tuple[File | None, str]:
    """The file with its content, or why it is left out."""
    if row.file is None or row.why_not:
        return None, row.why_not
    try:
        return File(row.name, row.file.content_type, files.read(row.file)), ""
    except FileNotFoundError:
        return None, HELD[StoredFile.MISSING]
    except OSError as error:
        raise TryLater(f"“{row.name}” cannot be read now: {error.strerror}") from error


def _tell_author(message: Message, entry_id: int, left: Sequence[str]) -> None:
    entry = Event.objects.select_related("case", "actor").get(pk=entry_id)
    text = f"{entry.case.key}: your update goes to {message.address} without {' '.join(left)}"
    told = [entry.actor] if entry.actor and entry.actor.is_active else people_of(entry.case, CasePerson.COMMUNICATION)
    with transaction.atomic():
        notice(entry.case, told, key=f"left-out:{message.pk}", kind="file", text=text, urgent=True)


class HandOffAsked(MessageKind):
    """The question to accept a hand-off: `handoff:ID`."""

    prefix = "handoff"

    def still_wanted(self, message: Message) -> bool:
        """While the hand-off waits for an answer."""
        (handoff,) = self.parts(message)
        return HandOff.objects.filter(pk=int(handoff), state=HandOff.WAITING).exists()

    def compose(self, message: Message) -> Content | None:
        """The mail, made when it is sent: making it takes longer than the rest of a hand-off."""
        (number,) = self.parts(message)
        related = ("case__account", "case__issue_type", "to_user", "from_user")
        handoff = HandOff.objects.select_related(*related).filter(pk=int(number)).first()
        return _content(handoff) if handoff else None


def subject_of(handoff: HandOff) -> str:
    """ESC-1042 is handed to you: Northwind Logistics. Accept or refuse."""
    return f"{handoff.case.key} is handed to you: {handoff.case.account.name}. Accept or refuse"


def page_of(handoff: HandOff) -> str:
    """The end of the address of the page that asks to accept."""
    return f"handoffs/{handoff.number}/"


def _content(handoff: HandOff) -> Content:
    case, user, subject = handoff.case, handoff.to_user, subject_of(handoff)
    sender = handoff.from_user.name if handoff.from_user else "Escalation Desk"
    due = f" Accept by {moment_for(user, handoff.due_at)}." if handoff.due_at else ""
    lead = f"{case.title}.{due} {handoff.why}".rstrip(" .") + "."
    context = {
        "subject": subject,
        "preview": lead,
        "ref": case.key,
        "head": f"{sender} hands you the {handoff.get_duty_display().lower()} duty",
        "lead": lead,
        "facts": [
            *facts_of(case, user),
            ("What was tried", handoff.tried or "See the thread"),
            ("What is open", handoff.open_points or case.issue[:200]),
            ("What is asked", handoff.ask or "Take the case and decide the next step"),
        ],
        "button": "Review and accept",
        "url": case_url(case, page_of(handoff)),
        "after": "The case is not yours until you accept on the page. Without an answer it goes to the next person.",
        "why": f"You get this because the escalation matrix names you for {case.issue_type.name.lower()} cases.",
    }
    text, html = render("case_note", context, zone=user.zone)
    return Content(subject, text, html)
