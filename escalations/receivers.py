"""Receives events from the apps below; each calls one verb."""

from django.dispatch import receiver

from accounts.events import people_changed, person_left, signal_recorded
from accounts.models import Departure, Signal
from approvals.events import log_appended, seats_asked
from approvals.models import ApprovalRequest, DecisionEntry
from escalations.cases import access_rows, leaving, mail_files, notifications
from escalations.cases import requests as asking
from escalations.cases.inbound import on_mail, on_signals
from escalations.cases.which_case import Arrival
from escalations.cases.words import follow_accounts
from messaging.events import mail_received
from messaging.models import InboundMail


@receiver(signal_recorded, dispatch_uid="escalations.signals")
def hear_signals(signals: list[Signal], origin: object, **_: object) -> None:
    """Signals update health, cases and triggers."""
    on_signals(signals, arrival=origin if isinstance(origin, Arrival) else None)


@receiver(people_changed, dispatch_uid="escalations.access")
def hear_people(accounts: list[int], **_: object) -> None:
    """The new team of an account sees its cases, the old one no longer does."""
    access_rows.keep_accounts(accounts)


@receiver(mail_received, dispatch_uid="escalations.mail")
def hear_mail(mail: InboundMail, **_: object) -> None:
    """Mail is assigned to its case or account, unless another app has handled it."""
    if mail.state == InboundMail.WAITING:
        on_mail(mail)
        mail_files.take_after_commit(mail)


@receiver(log_appended, dispatch_uid="escalations.decisions")
def hear_decisions(entry: DecisionEntry, **_: object) -> None:
    """Decisions move their case."""
    asking.on_decision_log(entry)


@receiver(people_changed, dispatch_uid="escalations.words")
def hear_accounts(accounts: list[int], **_: object) -> None:
    """Cases are found by the name of their account."""
    follow_accounts(account_ids=accounts)


@receiver(seats_asked, dispatch_uid="escalations.seats")
def hear_seats(request: ApprovalRequest, **_: object) -> None:
    """People who are asked see the case."""
    asking.on_seats_asked(request)


@receiver(person_left, dispatch_uid="escalations.leaving")
def hear_departure(departure: Departure, most: int, finished: bool, **_: object) -> int:
    """The work of a person who left moves on; at the end operations and the manager are told."""
    if finished:
        notifications.departed(departure)
        return 0
    return leaving.move_on(departure, most)
