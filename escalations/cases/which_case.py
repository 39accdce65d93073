"""Finds the case of a mail: by our address, the mails it answers, or a key; only among the cases of one account."""

from collections.abc import Collection, Mapping, Sequence
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
    [found] = find_each([mail], account)
    return found


def find_each(mails: Sequence[InboundMail], account: Account) -> list[tuple[Arrival, Escalation | None]]:
    """The same for several mails, in a few queries for all of them."""
    answered = [addressing.answered_ids(mail.in_reply_to, [str(each) for each in mail.references]) for mail in mails]
    ids = {each for found in answered for each in found}
    ours, theirs = _of_our_mails(ids), _of_their_mails(ids)
    clues = [_clues(mail, answers, ours, theirs) for mail, answers in zip(mails, answered, strict=True)]
    wanted = {clue.case_id for found in clues for clue in found}
    cases = Escalation.objects.select_related("account").in_bulk(wanted)
    return [_arrival(mail, account, found, cases) for mail, found in zip(mails, clues, strict=True)]


def _arrival(
    mail: InboundMail, account: Account, clues: Sequence[Clue], cases: Mapping[int, Escalation]
) -> tuple[Arrival, Escalation | None]:
    named = [(clue, cases[clue.case_id]) for clue in clues if clue.case_id in cases]
    for clue, case in named:
        if case.account_id == account.pk:
            original = original_of(case)
            came_from = case.key if original.pk != case.pk else ""
            return Arrival(mail, original, clue.how, came_from), None
    return Arrival(mail), named[0][1] if named else None


def _clues(
    mail: InboundMail, answers: Sequence[str], ours: Mapping[str, str], theirs: Sequence[tuple[str, int]]
) -> list[Clue]:
    recipients = [str(address) for address in mail.recipients]
    keys = [ours[each].removeprefix("ESC-") for each in answers if each in ours]
    return addressing.in_order(
        [
            *addressing.addressed(recipients, settings.MAIL_DOMAIN, is_token),
            *(Clue(int(number), ANSWER) for number in keys if number.isdecimal()),
            *addressing.threads(answers, settings.MAIL_DOMAIN),
            *(Clue(case_id, ANSWER) for message_id, case_id in theirs if message_id in answers),
            *addressing.in_subject(mail.subject),
        ]
    )


def _of_our_mails(ids: Collection[str]) -> dict[str, str]:
    """The keys of the cases of mails that we sent under these ids, by id."""
    if not ids:
        return {}
    return dict(Message.objects.filter(message_id__in=ids, case_key__gt="").values_list("message_id", "case_key"))


def _of_their_mails(ids: Collection[str]) -> list[tuple[str, int]]:
    """The earlier mails of the customer with these ids, each with the case on which it stands, the last one first; a guess
    tells nothing, until a person confirms it."""
    if not ids:
        return []
    shown = CustomerMessage.objects.filter(mail__message_id__in=ids, moved_to__isnull=True).exclude(placed=GUESS)
    return list(shown.order_by("-pk").values_list("mail__message_id", "case_id"))
