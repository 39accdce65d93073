"""Finds the case of a mail: by our address, the mails it answers, or a key; only among the cases of one account."""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import Account
from escalations.cases.duplicates import original_of
from escalations.cases.mail_address import is_token
from escalations.cases.rules import addressing
from escalations.cases.rules.addressing import ANSWER, GUESS, Clue
from escalations.models import CustomerMessage, Escalation
from messaging.models import InboundMail, Message


@dataclass(frozen=True)
class Arrival:
    """A message on its way to a case. Without a case nothing tells where it belongs. `came_from`: the key of the ended
    duplicate it was addressed to."""

    mail: InboundMail | None = None
    case: Escalation | None = None
    how: str = GUESS
    came_from: str = ""


def find(mail: InboundMail, account: Account) -> tuple[Arrival, Escalation | None]:
    """Where the mail belongs among the cases of the account; and, if nothing tells, the case of another account that it
    names. The surest clue decides; an ended duplicate leads on to its original."""
    clues = _clues(mail)
    cases = Escalation.objects.select_related("account").in_bulk([clue.case_id for clue in clues])
    named = [(clue, cases[clue.case_id]) for clue in clues if clue.case_id in cases]
    for clue, case in named:
        if case.account_id == account.pk:
            original = original_of(case)
            came_from = case.key if original.pk != case.pk else ""
            return Arrival(mail, original, clue.how, came_from), None
    return Arrival(mail), named[0][1] if named else None


def _clues(mail: InboundMail) -> list[Clue]:
    ids = addressing.answered_ids(mail.in_reply_to, [str(each) for each in mail.references])
    recipients = [str(address) for address in mail.recipients]
    return addressing.in_order(
        [
            *addressing.addressed(recipients, settings.MAIL_DOMAIN, is_token),
            *_of_our_mails(ids),
            *addressing.threads(ids, settings.MAIL_DOMAIN),
            *_of_their_mails(ids),
            *addressing.in_subject(mail.subject),
        ]
    )


def _of_our_mails(ids: list[str]) -> list[Clue]:
    """The cases of mails that we sent under these ids, the nearest first."""
    if not ids:
        return []
    keys = dict(Message.objects.filter(message_id__in=ids, case_key__gt="").values_list("message_id", "case_key"))
    found = [keys[each].removeprefix("ESC-") for each in ids if each in keys]
    return [Clue(int(number), ANSWER) for number in found if number.isdecimal()]


def _of_their_mails(ids: list[str]) -> list[Clue]:
    """The cases on which earlier mails of the customer stand; a guess tells nothing, until a person confirms it."""
    if not ids:
        return []
    shown = CustomerMessage.objects.filter(mail__message_id__in=ids, moved_to__isnull=True).exclude(placed=GUESS)
    return [Clue(case_id, ANSWER) for case_id in shown.order_by("-pk").values_list("case_id", flat=True)]
