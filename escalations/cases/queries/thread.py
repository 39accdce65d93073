"""The thread and the audit trail of a case, for their pages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.models import User
from escalations.clocks.rules.kinds import RHYTHM
from escalations.models import CaseFile, CustomerMessage, Escalation, Event
from ledger import chain
from ledger.json_types import JsonObject
from messaging.outbox.rules.secrets import masked

PAGE = 50
# Entries that stand open on the first page; the others of the page are folded under them.
OPEN_ENTRIES = 10
CORRECTED = (Event.UPDATE, Event.NOTE_DECISION)
DECISIONS = (Event.NOTE_DECISION, "decision_log", "request")
UPDATES = (Event.UPDATE, Event.CUSTOMER_UPDATE, "status")
# Moves that already have an entry of their own kind in the thread: triaged, handed off, accepted, requested.
TOLD_TWICE = Q(kind="moved", data__verb__in=["triage", "hand_off", "accept", "ask"])
# Entries of clocks, but not of internal rhythms, because they would hide what people write. The history shows all.
SPOKEN = Q(kind__in=["clock.warn", "clock.breach"]) & ~Q(clock__kind__in=RHYTHM)
SHOW: dict[str, tuple[str, Q]] = {
    "all": ("All", SPOKEN | ~Q(kind__startswith="clock.") & ~TOLD_TWICE),
    "updates": ("Updates", Q(kind__in=UPDATES)),
    "decisions": ("Decisions", Q(kind__in=DECISIONS)),
    "customer": ("Customer", Q(audience=Event.CUSTOMER)),
}
KINDS: dict[str, tuple[str, Q]] = {
    "all": ("All entries", Q()),
    "people": ("Posts and messages", Q(audience__in=[Event.INTERNAL, Event.CUSTOMER])),
    "decisions": ("Decisions", Q(kind__in=DECISIONS)),
    "moves": (
        "State, level and roles",
        Q(kind__in=["moved", "level", "role", "handed_off", "accepted", "refused", "expired", "left"]),
    ),
    "clocks": ("Clocks", Q(kind__startswith="clock.") | Q(kind="waiting")),
    "rules": ("Triage and routing", Q(kind__in=["opened", "triaged", "routed"])),
}
SHAPES = {
    Event.CUSTOMER_MESSAGE: "customer",
    Event.CUSTOMER_UPDATE: "outgoing",
    Event.NOTE_DECISION: "decision",
    "decision_log": "decision",
    Event.UPDATE: "update",
    "status": "status",
    "signal": "customer",
    "merged": "merged",
    "shared": "merged",
}
CUT_SHOWN = 20_000
LONG_OF_A_MAIL = ("text", "visible_text", "auth_results", "references", "recipients")
ICONS = {
    "clock.breach": "exclamation-octagon-fill",
    "clock.warn": "exclamation-triangle-fill",
    "level": "arrow-up-right",
    "handed_off": "arrow-right",
    "accepted": "person-check",
    "refused": "person-x",
    "expired": "hourglass-split",
    "left": "person-x",
    "merged_in": "arrow-right",
    "request": "check2-square",
    "action": "list-check",
    "action.done": "check-lg",
    "commitment": "bookmark",
    "brief": "file-earmark-text",
    "waiting": "pause-circle-fill",
    "opened": "plus-lg",
    "triaged": "activity",
    "routed": "signpost-split",
    "review": "arrow-repeat",
    "nobody": "exclamation-octagon-fill",
    "held": "pause-circle-fill",
    "file": "paperclip",
    "message.moved": "arrow-right",
    "came_back": "check-lg",
    "contact": "person-check",
    "decayed": "arrow-repeat",
}
TONES = {"clock.breach": "red", "clock.warn": "yel", "accepted": "grn", "action.done": "grn", "nobody": "red"}


@dataclass
class Shown:
    """One place in the thread: the entry and its replacements."""

    event: Event
    replacements: list[Event] = field(default_factory=list)
    mine: bool = False
    files: list[CaseFile] = field(default_factory=list)

    @property
    def latest(self) -> Event:
        """The current version of the entry."""
        return self.replacements[-1] if self.replacements else self.event

    @property
    def earlier(self) -> list[Event]:
        """The earlier versions, oldest first."""
        return [self.event, *self.replacements[:-1]] if self.replacements else []

    @property
    def how(self) -> str:
        """edited, corrected, or nothing."""
        return str(self.latest.data.get("how", "")) if self.replacements else ""

    @property
    def shape(self) -> str:
        """The layout: customer, outgoing, decision, update, status, or system (one line)."""
        return SHAPES.get(self.event.kind, "opened" if self.event.kind == "opened" and self.event.text_id else "system")

    @property
    def icon(self) -> str:
        """Symbol of a system line."""
        return ICONS.get(self.event.kind, "circle")

    @property
    def tone(self) -> str:
        """Colour of a system line; only for what SLA status or acceptance changed."""
        return TONES.get(self.event.kind, "")

    @property
    def by(self) -> str:
        """The author, if the line does not name one already; rules have no author."""
        if self.event.actor_id is None or self.event.kind in ("triaged", "routed"):
            return ""
        return "" if self.event.actor_name in self.event.summary else self.event.actor_name

    @property
    def phrases(self) -> list[JsonObject]:
        """Flagged phrases in a customer's text."""
        return list(self.event.data.get("phrases") or [])

    @property
    def message(self) -> CustomerMessage | None:
        """How a customer's message or a signal came here; older entries have none."""
        return getattr(self.event, "message", None)

    @property
    def cut(self) -> str:
        """What was left out of the visible text of a mail, without what works like a password."""
        mail = self.message.mail if self.message and self.message.mail_id else None
        return masked(mail.cut[:CUT_SHOWN]) if mail else ""

    @property
    def may_correct(self) -> bool:
        """Only the author corrects, and only internal entries."""
        return self.mine and self.event.kind in CORRECTED


def entries(case: Escalation, user: User, *, show: str, before: int | None) -> tuple[list[Shown], int | None]:
    """A page of the thread, newest first, and the number of the next page's start (None: no more)."""
    related = ("actor", "text", "message__signal", "message__mail", "message__moved_to__case")
    top = case.events.filter(SHOW[show][1], replaces__isnull=True).select_related(*related).order_by("-seq")
    top = top.defer(*(f"message__mail__{name}" for name in LONG_OF_A_MAIL))
    page, older = _page(top, before)
    newer, files = _replacements(case, page), _files(page)
    shown = [
        Shown(event, newer.get(event.pk, []), event.actor_id == user.pk, files.get(event.pk, [])) for event in page
    ]
    return shown, older


def _files(page: Sequence[Event]) -> dict[int, list[CaseFile]]:
    """The files of entries; their log says whether there are any."""
    found: dict[int, list[CaseFile]] = {}
    if with_files := [event.pk for event in page if event.data.get("files")]:
        for each in CaseFile.objects.filter(event__in=with_files).to_show():
            found.setdefault(each.event_id or 0, []).append(each)
    return found


def _page(events: QuerySet[Event], before: int | None) -> tuple[list[Event], int | None]:
    rows = list((events.filter(seq__lt=before) if before else events)[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].seq if len(rows) > PAGE else None


def _replacements(case: Escalation, page: Sequence[Event]) -> dict[int, list[Event]]:
    """Entries that replace one of the page, oldest first, by the replaced entry."""
    found: dict[int, list[Event]] = {}
    own = [event for event in page if event.kind in CORRECTED]
    if own:
        # A replacement is younger than its entry, so the log is read from there only.
        rows = case.events.filter(seq__gt=own[-1].seq, replaces__in=[event.pk for event in own])
        for event in rows.select_related("text").order_by("seq"):
            found.setdefault(event.replaces_id or 0, []).append(event)
    return found


def unfolded(shown: list[Shown], before: int | None) -> tuple[list[Shown], list[Shown]]:
    """The entries that stand open and those that are folded. Who asks for older entries (`before`) sees all of them; a message
    that nobody has opened is never folded."""
    unread = [place for place, row in enumerate(shown, 1) if row.message and row.message.opened_at is None]
    stand_open = max([OPEN_ENTRIES, *unread])
    if before or len(shown) <= stand_open + 1:
        return shown, []
    return shown[:stand_open], shown[stand_open:]


def by_day(shown: Iterable[Shown]) -> list[tuple[date, list[Shown]]]:
    """Entries under the day they were made, in the viewer's zone."""
    zone = timezone.get_current_timezone()
    return [(day, list(rows)) for day, rows in groupby(shown, lambda row: row.event.at.astimezone(zone).date())]


def audit(
    case: Escalation, *, kind: str, before: int | None, clock: int | None = None
) -> tuple[list[Event], int | None]:
    """A page of the audit trail, newest first, and the number of the next page's start. `clock`: only its entries."""
    rows = case.events.filter(KINDS[kind][1])
    if clock:
        rows = rows.filter(clock=clock)
    replaced = Subquery(Event.objects.filter(pk=OuterRef("replaces")).values("seq"))
    return _page(rows.select_related("text").annotate(replaced=replaced).order_by("-seq"), before)


def breaks(case: Escalation) -> list[chain.Break]:
    """The faults in the whole log of the case: entries and, if they still exist, their texts."""
    rows = list(case.events.select_related("text").order_by("seq"))
    return [*chain.breaks_in(case, rows), *_changed_words(case, rows)]


def breaks_shown(case: Escalation, shown: Sequence[Event]) -> list[chain.Break]:
    """The faults of the entries on a page, of their texts, and of the end of the log. One query, however long the log is."""
    wanted = case.events.filter(Q(seq__in=[event.seq - 1 for event in shown]) | Q(seq__gte=case.log_count)).order_by()
    digests: dict[int, str] = {}
    # The counter comes with the entries, because somebody may have written since the case was read.
    end = ("case__log_count", "case__log_last", "case__log_seal")
    for seq, digest, count, last, seal in wanted.values_list("seq", "digest", *end):
        digests[seq] = digest
        case.log_count, case.log_last, case.log_seal = count, last, seal
    return [*chain.breaks_at(case, reversed(shown), digests), *_changed_words(case, shown)]


def _changed_words(case: Escalation, rows: Iterable[Event]) -> Iterator[chain.Break]:
    for row in rows:
        if row.text is None or row.text.erased_at:
            continue
        if chain.sign("text\x00" + row.text.body, row.key_id) != row.text_hash:
            yield chain.Break(case.pk, row.seq, "the text was changed")
