"""Our answers to people who reply to an approval mail: helpful, few, and never to unproven strangers."""

import hashlib
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings

from accounts.models import User
from approvals.mail import limits as by_mail
from approvals.mail.messages import url_of
from approvals.models import ApprovalRequest, DecisionLink
from approvals.requests.rules.verdicts import DECLINED
from ledger.format import time_of_day
from messaging.inbound.rules.mail_auth import is_proven
from messaging.kinds import Content
from messaging.models import InboundMail, Message
from messaging.outbox import layout as writing
from messaging.outbox import messages as outbox
from messaging.outbox.rules.kinds import ANSWER

A_SENDER_EACH, A_TOKEN_EACH = timedelta(hours=1), timedelta(days=1)
LONGEST_THREAD = 200
HOW = (
    "Nothing was decided. To decide by mail, reply with approve or decline alone on the first line and your reason below it, "
    "or decide on the page."
)
NOT_BY_REPLY = "Nothing was decided, because this request cannot be decided by reply. Decide on the page."
UNPROVEN = (
    "A reply to this request came from your address, but our mail server could not "
    "confirm that you sent it. Nothing was decided. Decide on the page; if you did not write it, contact Operations."
)
NOT_ASKED = (
    "Your mail was sent to an address that only one person can answer from, so "
    "nothing was done. Operations will read it."
)


def say(mail: InboundMail, link: DecisionLink, at: datetime, words: str) -> None:
    """Answer the person asked; at most once an hour, and once a day about each mail the person got."""
    if _free(link.approver.email, link, at):
        _post(mail, link, at, link.approver, words, about=link.request)


def done(mail: InboundMail, link: DecisionLink, request: ApprovalRequest, verdict: str, at: datetime) -> None:
    """Confirm to the person that the reply was taken as a decision, so that the person notices if somebody else wrote
    it. Always sent, once for each seat."""
    word = "Declined" if verdict == DECLINED else "Approved"
    when = time_of_day(at, link.approver.zone)
    words = f"{word} by your reply at {when}. You can undo it on the page for 10 minutes, until something of it is carried out."
    _write(f"reply-taken:{link.pk}", mail, link.approver, f"{word} by your reply", words, about=request)


def unproven(mail: InboundMail, link: DecisionLink, at: datetime) -> None:
    """Answer a mail in quarantine. If it has the address of the person asked, that person gets the answer. Another
    sender gets one only if our mail server confirms the address, so that nobody is written to because somebody else
    used the address."""
    sender = mail.single_from
    if not sender or _is_ours(sender):
        return
    if sender in by_mail.addresses_of(link.approver):
        if link.approver.is_colleague and _free(link.approver.email, link, at):
            _post(mail, link, at, link.approver, UNPROVEN, about=link.request)
    elif is_proven(sender, mail.auth_results, settings.AUTHSERV_ID) and _free(sender, link, at):
        _post(mail, link, at, sender, NOT_ASKED, about=None)


def _free(address: str, link: DecisionLink, at: datetime) -> bool:
    """Whether this sender got no answer within an hour, and this token none within a day."""
    answers = Message.objects.filter(kind=ANSWER)
    told = answers.filter(address=address, created_at__gt=at - A_SENDER_EACH, key__startswith="reply-answer:")
    same = answers.filter(key__startswith=f"reply-answer:{link.pk}:", created_at__gt=at - A_TOKEN_EACH)
    return not told.exists() and not same.exists()


def _is_ours(address: str) -> bool:
    own = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower()
    return address == own or (address.endswith(f"@{settings.MAIL_DOMAIN.lower()}") and "+" in address)


def _post(
    mail: InboundMail, link: DecisionLink, at: datetime, to: User | str, words: str, *, about: ApprovalRequest | None
) -> None:
    address = to.email if isinstance(to, User) else to
    # Unique within the hour, so that two replies at once get one answer.
    hour = f"{at.isoformat(timespec='hours')}:{hashlib.sha256(address.encode()).hexdigest()[:16]}"
    _write(f"reply-answer:{link.pk}:{hour}", mail, to, "Your reply", words, about=about)


def _write(
    key: str, mail: InboundMail, to: User | str, subject: str, words: str, *, about: ApprovalRequest | None
) -> None:
    context = {
        "ref": about.case_key if about else "",
        "head": about.ask if about else subject,
        "lead": words,
        "button": "Open the request" if about else "",
        "url": url_of(about) if about else "",
        "why": "You get this because you replied to a mail of Escalation Desk.",
    }
    line = f"{subject}: {about.account.name} {about.concession_name.lower()}" if about else subject
    text, html = writing.render("approval", {**context, "subject": line}, zone=to.zone if isinstance(to, User) else "")
    regarding = outbox.Regarding(
        case_key=about.case_key if about else "",
        account_name=about.account.name if about else "",
        thread_id=mail.message_id if len(mail.message_id) <= LONGEST_THREAD else "",
    )
    outbox.post(key=key, kind=ANSWER, to=to, content=Content(line, text, html), regarding=regarding)
