"""Kinds of signal: one row each. A new kind is a row here; the triggers decide what it opens."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SignalKind:
    """The label and icon of a kind, and whether it is part of a negotiation, a flag, or an ask for money back."""

    slug: str
    label: str
    icon: str = "broadcast"
    commercial: bool = False
    security: bool = False
    money_back: bool = False


KINDS = (
    SignalKind("email", "Customer e-mail", "envelope"),
    SignalKind("chat", "Chat"),
    SignalKind("call", "Call note", "telephone"),
    SignalKind("session", "Live session"),
    SignalKind("ticket", "Ticket event"),
    SignalKind("counterproposal", "Counterproposal", "arrow-left-right", commercial=True),
    SignalKind("refund", "Refund or credit request", "cash-coin", money_back=True),
    SignalKind("survey", "Survey", "chat-quote"),
    SignalKind("milestone", "Missed milestone", "flag-fill"),
    SignalKind("outage", "Outage", "activity"),
    SignalKind("flag", "Security or policy flag", "flag-fill", security=True),
    SignalKind("note", "Note"),
)
BY_SLUG = {kind.slug: kind for kind in KINDS}
CHOICES = [(kind.slug, kind.label) for kind in KINDS]
COMMERCIAL = tuple(kind.slug for kind in KINDS if kind.commercial)
