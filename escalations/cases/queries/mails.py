"""Received mail on no case: who may read it, and with it its attachments."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Account, Signal, User
from accounts.signals.record import RECEIVED_MAIL
from approvals.mail import links
from approvals.mail.rules import tokens_in
from approvals.models import ApprovalRequest
from escalations.cases import which_case
from escalations.models import CaseFile, CustomerMessage, Escalation, may_see
from ledger.now import now
from messaging.models import InboundMail, MailAttachment

SET_ASIDE_FOR = timedelta(days=90)


def set_aside(account: Account) -> QuerySet[InboundMail]:
    """Mail of the account's contacts of the last 90 days that looks automatic."""
    senders = [email.lower() for email in account.contacts.values_list("email", flat=True)]
    kept = InboundMail.objects.filter(state=InboundMail.AUTOMATIC, sender__in=senders)
    return kept.exclude(automatic="bounce").filter(received_at__gte=now() - SET_ASIDE_FOR)


def readable(mails: Sequence[InboundMail], account: Account, user: User) -> list[InboundMail]:
    """Without those that were written to a confidential case that the person may not see."""
    cases = [arrival.case for arrival, _ in which_case.find_each(mails, account)]
    secret = {case.pk for case in cases if case and case.confidential}
    seen = Escalation.objects.visible_to(user).filter(pk__in=secret).values_list("pk", flat=True) if secret else []
    hidden = secret - set(seen)
    return [mail for mail, case in zip(mails, cases, strict=True) if case is None or case.pk not in hidden]


def with_files(account: Account, user: User) -> QuerySet[InboundMail]:
    """Mail of the account's signals that the person may see, with attachments that no case has taken."""
    signals = Signal.objects.visible_to(user).filter(account=account, source=RECEIVED_MAIL).order_by()
    named, taken = MailAttachment.objects.filter(mail=OuterRef("pk")), CaseFile.objects.filter(mail=OuterRef("pk"))
    mails = InboundMail.objects.filter(message_id__in=signals.values("external_id"), state=InboundMail.CLAIMED)
    return mails.filter(Exists(named), ~Exists(taken))


def unreadable(user: User, mails: Sequence[InboundMail]) -> set[int]:
    """The ids of those that stand on a confidential case, or answer a request of one, that the person may not open."""
    shown = CustomerMessage.objects.filter(mail__in=mails, case__confidential=True).exclude(may_see(user, "case"))
    on_cases = {pk for pk in shown.values_list("mail", flat=True) if pk is not None}
    answered = links.requests_of([token for mail in mails for token in tokens_in(mail.recipients)])
    secret = {token: request.pk for token, request in answered.items() if request.confidential}
    seen = ApprovalRequest.objects.visible_to(user).filter(pk__in=secret.values()) if secret else []
    hidden = set(secret.values()) - {request.pk for request in seen}
    return on_cases | {
        mail.pk for mail in mails if any(secret.get(token) in hidden for token in tokens_in(mail.recipients))
    }


def may_read(mail: InboundMail, user: User) -> bool:
    """Operations read received mail, except that of confidential cases they may not open; other people read what an account
    shows them: mail that became a signal they may see, and mail of a contact that was set aside."""
    if user.is_ops:
        return not unreadable(user, [mail])
    if user.is_external:
        return False
    if mail.state == InboundMail.CLAIMED:
        return Signal.objects.visible_to(user).filter(source=RECEIVED_MAIL, external_id=mail.message_id).exists()
    accounts = Account.objects.visible_to(user).filter(contacts__email__iexact=mail.sender)
    return any(set_aside(each).filter(pk=mail.pk).exists() and readable([mail], each, user) for each in accounts)
