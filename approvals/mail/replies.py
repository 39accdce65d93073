"""Replies to approval mail: a decision if everything is proven, else a comment, else a mail in quarantine.

A reply decides only if it has the valid token of one seat, comes from exactly one sender whom our own mail server
confirms and whose address belongs to the person of that seat, was typed by a person, and has a decision word alone on
the first line. It decides only up to the amount an administrator has set for replies. `decide` checks the permission,
as for every door.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.models import User
from approvals.mail import answers as answering
from approvals.mail import limits as by_mail
from approvals.mail import links
from approvals.mail.rules import tokens_in
from approvals.matrix.totals import total_of
from approvals.models import ApprovalRequest, DecisionEntry, DecisionLink, Seat
from approvals.requests import decide as deciding
from approvals.requests import talk
from approvals.requests.permissions import what_happened
from approvals.requests.rules.verdicts import APPROVED, DECLINED
from ledger.errors import AlreadyDone, Invalid, NotAllowed, NotThere, Refused, Stale
from ledger.now import now
from messaging.inbound import receive as inbound
from messaging.inbound.rules.decision_words import comment_in, decision_in
from messaging.inbound.rules.mail_auth import is_proven
from messaging.models import InboundMail
from messaging.outbox.rules.secrets import masked

VERDICTS = {"approve": APPROVED, "decline": DECLINED}
# The same limit as on the page.
LONGEST = 4_000
TWO_REQUESTS = "Addressed to more than one approval request."


@dataclass(frozen=True)
class Reply:
    """A mail to a reply address, and the link of that address."""

    mail: InboundMail
    link: DecisionLink
    at: datetime

    @property
    def request(self) -> ApprovalRequest:
        """The request that it answers."""
        return self.link.request

    @property
    def by(self) -> User:
        """The only person who may answer at that address."""
        return self.link.approver


def take(*, mail: InboundMail) -> None:
    """Handle a received mail that was sent to one of our reply addresses; other receivers handle other mail.

    In the caller's transaction the mail becomes a decision or a comment, or goes into quarantine. Never raises for bad
    mail.
    """
    found = [link for token in tokens_in(mail.recipients) if (link := links.find(token))]
    if mail.state != InboundMail.WAITING or not found:
        return
    if len(found) > 1:
        inbound.quarantine(mail=mail, note=TWO_REQUESTS)
        return
    if mail.doubt:
        inbound.quarantine(mail=mail, note=f"It may be automatic ({mail.doubt[:200]}).")
        return
    reply = Reply(mail, found[0], now())
    if doubt := _doubt(reply):
        inbound.quarantine(mail=mail, note=doubt)
        answering.unproven(reply.mail, reply.link, reply.at)
    elif not links.is_alive(reply.link, reply.at):
        _too_late(reply)
    else:
        _judge(reply)


def place(*, mail: InboundMail, by: User) -> ApprovalRequest:
    """Add the text of a mail in quarantine to its request, as a comment of the person who places it. It is never a
    decision. Raises NotAllowed unless `by` works in operations, NotThere if `by` may not see its request, AlreadyDone
    if it is no longer in quarantine."""
    if not by.is_ops:
        raise NotAllowed("Only operations may place mail.")
    link = next((link for token in tokens_in(mail.recipients) if (link := links.find(token))), None)
    if link is None:
        raise NotThere("This mail belongs to no approval request.")
    if mail.state != InboundMail.QUARANTINED:
        raise AlreadyDone("This mail has been handled already. Open the inbox again to see where it is.")
    words = _words(mail) or "No words of its own."
    text = f"From a mail of {mail.sender or 'no sender'}, not proven: {words}"
    with transaction.atomic():
        inbound.claim(mail=mail, note=f"Comment on request {link.request_id}", by=by)
        talk.comment(request_id=link.request_id, by=by, text=text[:LONGEST], channel=DecisionEntry.MAIL)
    return link.request


def _doubt(reply: Reply) -> str:
    """Why it is not proven that the person asked wrote this; empty if our own mail server confirms it."""
    mail, by = reply.mail, reply.by
    if not mail.single_from:
        return "It has no sender, or more than one."
    if not settings.AUTHSERV_ID:
        return "AUTHSERV_ID is not set, so no sender can be proven."
    if not is_proven(mail.single_from, mail.auth_results, settings.AUTHSERV_ID):
        return "Our mail server did not confirm its sender (no DMARC pass)."
    if mail.single_from not in by_mail.addresses_of(by) or not by.is_colleague:
        return "It comes from a person who was not asked."
    return ""


def _too_late(reply: Reply) -> None:
    request = reply.request
    words = "The request has changed since you were asked. Nothing was decided; open it to see its current state."
    if not request.is_open:
        words = f"{what_happened(request, reply.by, reply.at)}."
    elif reply.link.dead_since and _said(reply):
        words = "You have already decided your part. The request still waits for others."
    _claim(reply, "came too late")
    answering.say(reply.mail, reply.link, reply.at, words)


def _said(reply: Reply) -> bool:
    return reply.link.seat.state == Seat.DECIDED and reply.link.seat.said_by_id == reply.by.pk


def _judge(reply: Reply) -> None:
    decision = decision_in(reply.mail.visible_text) if reply.mail.own_words else None
    consulted = reply.link.seat.part == Seat.CONSULT
    if decision is None or consulted:
        _comment(reply, "" if consulted else answering.HOW)
        return
    if not by_mail.may_reply(reply.request, total_of(reply.request, reply.at)):
        _comment(reply, answering.NOT_BY_REPLY)
        return
    try:
        _decide(reply, VERDICTS[decision])
    except (AlreadyDone, Stale) as refusal:
        _claim(reply, "came too late")
        answering.say(reply.mail, reply.link, reply.at, refusal.message)
    except Invalid as refusal:
        hint = "Reply again with the word alone on the first line and the reason below it, or decide on the page."
        _comment(reply, f"{refusal.message} Nothing was decided. {hint}")
    except Refused as refusal:
        _comment(reply, f"{refusal.message} Nothing was decided.")


def _decide(reply: Reply, verdict: str) -> None:
    request = deciding.decide(
        request_id=reply.request.pk,
        by=reply.by,
        verdict=verdict,
        version=reply.link.version,
        seat=reply.link.seat.number,
        channel=DecisionEntry.MAIL,
        words=deciding.Words(reason=masked(comment_in(reply.mail.visible_text))[:LONGEST]),
    )
    _claim(reply, verdict)
    answering.done(reply.mail, reply.link, request, verdict, reply.at)


def _comment(reply: Reply, answer: str) -> None:
    """Any text beyond a bare decision word becomes a comment; the sender is told why it is not a decision."""
    mail, kept = reply.mail, False
    if words := _words(mail):
        try:
            talk.comment(request_id=reply.request.pk, by=reply.by, text=words, channel=DecisionEntry.MAIL)
            kept = True
        except Refused as refusal:
            answer = f"{refusal.message} {answer}".strip()
    _claim(reply, "comment" if kept else "no decision")
    if answer:
        kept_words = " Your text was added to the request as a comment." if kept else ""
        answering.say(mail, reply.link, reply.at, answer + kept_words)


def _words(mail: InboundMail) -> str:
    """The text for the record; empty for a decision word alone."""
    text = masked(mail.visible_text).strip()
    if mail.own_words and decision_in(text) and not comment_in(text):
        return ""
    start = "" if mail.own_words else "Forwarded: "
    return f"{start}{text}"[:LONGEST] if text else ""


def _claim(reply: Reply, what: str) -> None:
    case = f" ({reply.request.case_key})" if reply.request.case_key else ""
    inbound.claim(mail=reply.mail, note=f"Reply to approval request {reply.request.pk}{case}: {what}")
