"""News from below, each answered by one verb."""

from typing import Any

from django.dispatch import receiver

from accounts.customers import panels
from accounts.events import signal_recorded
from approvals.events import log_appended
from approvals.models import DecisionEntry
from escalations.cases import inbound as listening
from escalations.cases import requests as asking
from escalations.cases.queries import account_panels
from escalations.clocks import notify as standing
from escalations.models import Clock, HandOff
from messaging.events import mail_received
from messaging.models import InboundMail
from messaging.outbox import composing, relevance


@receiver(signal_recorded, dispatch_uid="escalations.signals")
def hear_signals(ids: list[int], **_: Any) -> None:
    """Signals feed health, cases and triggers."""
    listening.on_signals(ids)


@receiver(mail_received, dispatch_uid="escalations.mail")
def hear_mail(mail: InboundMail, **_: Any) -> None:
    """Mail finds its case or account, unless somebody below has taken it."""
    if mail.state == InboundMail.WAITING:
        listening.on_mail(mail)


@receiver(log_appended, dispatch_uid="escalations.decisions")
def hear_decisions(entry: DecisionEntry, **_: Any) -> None:
    """Decisions move their case."""
    asking.on_decision_log(entry)


def _handoff_waits(rest: str) -> bool:
    return HandOff.objects.filter(pk=int(rest), state=HandOff.WAITING).exists()


def _clock_runs(rest: str) -> bool:
    return Clock.objects.filter(pk=int(rest), state=Clock.RUNNING).exists()


panels.register(account_panels.open_cases)
panels.register(account_panels.commitments)
relevance.register("handoff", _handoff_waits)
relevance.register("clock", _clock_runs)
composing.register(standing.SOURCE, standing.compose)
