"""Received mail: parsed in a limited process, kept with its bytes, announced to the apps above, dismissed by a person."""

import hashlib

from django.db import IntegrityError, transaction

from accounts.models import User
from ledger import files
from ledger.errors import AlreadyDone, NotAllowed, Refused
from ledger.now import now
from messaging.events import mail_received
from messaging.inbound import bounces
from messaging.inbound.parsing.parsed import MailRefused, ParsedMail
from messaging.inbound.parsing.reader import parse_in_child
from messaging.inbound.rules.mail_auth import MAX_HEADER
from messaging.models import InboundMail, MailAttachment

HUMAN = "human"
NOBODY_KNOWS = "No rule recognizes the sender, so a person has to place it."
LONGEST_TEXT = 1_000_000
# What makes two mails under one Message-ID the same; headers of the way they came may differ.
WORDS = ("sender", "subject", "text")
DISMISSIBLE = (InboundMail.WAITING, InboundMail.QUARANTINED)
PLACEABLE = (*DISMISSIBLE, InboundMail.AUTOMATIC, InboundMail.DISMISSED)


def receive(*, raw: bytes, channel: str = "file") -> InboundMail:
    """Take one mail in and return its row; the same mail (by Message-ID or by its bytes) is one row, however often it comes.
    A mail with other words under a Message-ID we have is another mail: nobody can hide one by sending its id first.

    A mail of a person is announced by `mail_received` in the same transaction; whoever takes it calls `claim`, else it waits in
    the inbox. Automatic mail is only kept. A mail over the limits is kept with the reason; nothing is raised for bad mail.
    """
    sha256 = hashlib.sha256(raw).hexdigest()
    # Bytes that are not in the store have no mail, so for a new mail the database is not asked.
    if files.path_of(sha256).exists() and (known := InboundMail.objects.filter(raw__sha256=sha256).first()):
        return known
    try:
        parsed = parse_in_child(raw)
    except MailRefused as refusal:
        reason = {"state": InboundMail.REFUSED, "note": refusal.reason[:300], "received_at": now()}
        reason["raw"] = files.store(raw, name=f"{channel}.eml", content_type="message/rfc822")
        return InboundMail.objects.get_or_create(message_id=f"<{sha256}@refused>", defaults=reason)[0]
    return _take(raw, channel, parsed)


def claim(*, mail: InboundMail, note: str, by: User | None = None) -> InboundMail:
    """Say that the mail found its place; `note` says where. A rule may take only what waits, a person also what was set aside.

    Raises AlreadyDone when somebody else was first or the mail could not be read.
    """
    states = PLACEABLE if by else (InboundMail.WAITING,)
    return _handled(mail, states, InboundMail.CLAIMED, note, by)


def note(*, mail: InboundMail, note: str) -> None:
    """Say more exactly where a claimed mail found its place."""
    mail.note = _fit(note, 300)
    InboundMail.objects.filter(pk=mail.pk, state=InboundMail.CLAIMED).update(note=mail.note)


def keep_waiting(*, mail: InboundMail, note: str) -> None:
    """Say why a mail waits for a person."""
    mail.note = _fit(note, 300)
    InboundMail.objects.filter(pk=mail.pk, state=InboundMail.WAITING).update(note=mail.note)


def quarantine(*, mail: InboundMail, note: str) -> InboundMail:
    """Keep a mail away from where it was addressed to, because nothing proves who sent it; `note` says what is missing.
    A person reads it. Raises AlreadyDone when it no longer waits."""
    return _handled(mail, (InboundMail.WAITING,), InboundMail.QUARANTINED, note, None)


def dismiss(*, mail: InboundMail, by: User) -> InboundMail:
    """Set a mail aside that waits or is in quarantine: it needs nothing. Raises NotAllowed unless `by` works in operations,
    AlreadyDone when it no longer waits."""
    if not by.is_ops:
        raise NotAllowed("Only operations may dismiss mail.")
    return _handled(mail, DISMISSIBLE, InboundMail.DISMISSED, f"Dismissed by {by}", by)


def _take(raw: bytes, channel: str, parsed: ParsedMail) -> InboundMail:
    """Keep and announce a mail. When the database refuses a second row, the same mail arrived twice at this moment: the
    second look finds it."""
    try:
        return _keep_and_announce(raw, channel, parsed)
    except IntegrityError:
        return _keep_and_announce(raw, channel, parsed)


def _keep_and_announce(raw: bytes, channel: str, parsed: ParsedMail) -> InboundMail:
    facts = _facts(parsed)
    try:
        with transaction.atomic():
            mail, new = _keep(raw, channel, parsed, facts)
            if new and mail.state == InboundMail.WAITING:
                mail_received.send(sender=InboundMail, mail=mail)
            elif new:
                bounces.take(mail=mail)
            return mail
    except Refused as refusal:
        # The mail must not be lost with the change that was refused: it waits, and a person reads why.
        with transaction.atomic():
            return _keep(raw, channel, parsed, {**facts, "note": refusal.message[:300]})[0]


def _keep(raw: bytes, channel: str, parsed: ParsedMail, facts: dict[str, object]) -> tuple[InboundMail, bool]:
    """The row of the mail, and whether it is new."""
    own_id = _own_id(parsed, raw)
    known = InboundMail.objects.filter(message_id=own_id).first()
    if known and all(getattr(known, name) == facts[name] for name in WORDS):
        return known, False
    if known:
        own_id = f"<{hashlib.sha256(raw).hexdigest()}@id-used-before>"
        if again := InboundMail.objects.filter(message_id=own_id).first():
            return again, False
    stored = files.store(raw, name=f"{channel}.eml", content_type="message/rfc822")
    mail = InboundMail.objects.create(message_id=own_id, raw=stored, received_at=now(), **facts)
    _name_attachments(mail, parsed)
    return mail, True


def _name_attachments(mail: InboundMail, parsed: ParsedMail) -> None:
    MailAttachment.objects.bulk_create(
        MailAttachment(
            mail=mail,
            number=number,
            name=_fit(each.filename, 255),
            content_type=_fit(each.content_type, 120),
            size=each.size,
        )
        for number, each in enumerate(parsed.attachments)
    )


def _facts(parsed: ParsedMail) -> dict[str, object]:
    human = parsed.automatic_kind == HUMAN
    return {
        "state": InboundMail.WAITING if human else InboundMail.AUTOMATIC,
        "sender": _fit(next(iter(parsed.from_addresses), ""), 254),
        "sender_name": _fit(parsed.from_name, 200),
        "recipients": [_fit(address, 254) for address in parsed.to_addresses],
        "subject": _fit(parsed.subject, 500),
        "sent_at": parsed.date,
        "text": _fit(parsed.text, LONGEST_TEXT),
        "visible_text": _fit(parsed.visible_text, LONGEST_TEXT),
        "cut": _fit(parsed.cut, LONGEST_TEXT),
        "in_reply_to": _fit(parsed.in_reply_to, 255),
        "references": [_fit(reference, 255) for reference in parsed.references],
        "single_from": _fit(parsed.single_from, 254),
        "auth_results": [_fit(header, MAX_HEADER + 1) for header in parsed.all_headers("Authentication-Results")],
        "own_words": parsed.visible_is_own,
        "doubt": _fit(parsed.automatic_doubt, 300),
        "automatic": "" if human else parsed.automatic_kind[:16],
        "note": NOBODY_KNOWS if human else _fit(parsed.automatic_reason, 300),
    }


def _own_id(parsed: ParsedMail, raw: bytes) -> str:
    """Its Message-ID; one that does not fit, or is none, is made from the bytes."""
    own = _fit(parsed.message_id, 1000)
    return own if 0 < len(own) <= 255 else f"<{hashlib.sha256(raw).hexdigest()}@no-message-id>"


def _handled(mail: InboundMail, states: tuple[str, ...], state: str, note: str, by: User | None) -> InboundMail:
    handled = {"state": state, "note": _fit(note, 300), "handled_by": by, "handled_at": now()}
    if not InboundMail.objects.filter(pk=mail.pk, state__in=states).update(**handled):
        raise AlreadyDone("This mail has been handled already. Open the inbox again to see where it is.")
    for name, value in handled.items():
        setattr(mail, name, value)
    return mail


def _fit(text: str, longest: int) -> str:
    """What every database takes: no NUL, no halves of characters, not too long."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")[:longest]
