"""The brief for its tab, its one-page sheet and its comparison. Parts have the form of `briefs.current_parts`."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from approvals.requests.rules.verdicts import Option, conditions_of
from escalations import states
from escalations.cases.rules import brief as rules
from escalations.cases.rules import conversation
from escalations.cases.rules.brief import BriefParts
from escalations.clocks.rules.kinds import CHOICES
from escalations.models import Action, BriefPart, BriefSnapshot, CasePerson, Clock, Escalation, Event

COMPUTED = ("classification", "account")
ANCHORS = {"options": "options", "conversation": "id_risks", "classification": "classification", "account": "account"}
MILESTONES = ("opened", "accepted", "refused", "level", "request", "decision_log", "action.done", "clock.breach")
STATUS_WORDS = {"red": "RED", "yel": "YELLOW", "grn": "GREEN", "pau": "PAUSED"}
SHOWN_ROWS = 4
LABELS = {"arr": "ARR", "owner": "CSM", "type": "Escalation type"}
LETTERS = "ABCDEFGHIJKL"


@dataclass(frozen=True)
class PartState:
    """One part of the brief in the list of parts."""

    part: str
    name: str
    anchor: str
    mark: str
    word: str
    gaps: list[str]
    filled: bool


@dataclass(frozen=True)
class Overview:
    """Counts and names for the list of parts and the save bar."""

    rows: list[PartState]
    by_part: dict[str, PartState]
    gaps: list[PartState]
    done: int
    of: int

    @property
    def percent(self) -> float:
        """Share of the parts that are done."""
        return 100 * self.done / self.of


@dataclass(frozen=True)
class Lettered:
    """An option of the sheet with its letter."""

    letter: str
    name: str
    revenue: str
    exposure: str
    trade_off: str
    conditions: list[str]
    recommended: bool
    status_quo: bool


Pieces = list[tuple[str, str]]


@dataclass(frozen=True)
class Compared:
    """One part before and now, as (kind, words) pieces; kind is "", del or ins."""

    part: str
    name: str
    changed: bool
    then: Pieces
    now: Pieces


def part_states(parts: BriefParts) -> list[PartState]:
    """The eleven parts with name, anchor, mark, word and gaps, in the order of the form."""
    return [_part_state(part, name, parts) for part, name in BriefPart.PARTS]


def _part_state(part: str, name: str, parts: BriefParts) -> PartState:
    gaps = part_gaps(part, parts)
    filled = part in COMPUTED or bool(parts["options"] if part == "options" else parts["texts"].get(part, "").strip())
    if gaps:
        mark, word = "red", "Empty" if not filled else "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    else:
        mark, word = ("grn", "Done") if filled else ("none", "Optional")
    anchor = ANCHORS.get(part, f"id_{part}")
    return PartState(part, name, anchor, mark, word, gaps, filled)


def part_gaps(part: str, parts: BriefParts) -> list[str]:
    """The gaps of this part, as text."""
    if part == "options":
        return rules.option_gaps(parts["options"])
    text = parts["texts"].get(part, "").strip()
    if part in rules.REQUIRED and not text:
        return [rules.NAMES[part]]
    return rules.vague_parts({part: text})


def overview(parts: BriefParts) -> Overview:
    """Counts and names for the list of parts and the save bar."""
    rows = part_states(parts)
    return Overview(
        rows=rows,
        by_part={row.part: row for row in rows},
        gaps=[row for row in rows if row.gaps],
        done=sum(row.filled and not row.gaps for row in rows),
        of=len(rows),
    )


def version_of(parts: BriefParts, snapshots: list[BriefSnapshot]) -> tuple[int, bool]:
    """The current number of the brief, and whether it is a draft (with text that no snapshot has)."""
    if not snapshots:
        return 1, True
    last = max(snapshots, key=lambda each: each.number)
    same = (last.parts.get("texts"), last.parts.get("options")) == (parts["texts"], parts["options"])
    return (last.number, False) if same else (last.number + 1, True)


# One page ----------------------------------------------------------------------------------------


def sheet(case: Escalation, parts: BriefParts, at: datetime) -> dict[str, object]:
    """The sheet of a current case: the decision first, then the support for it. About six queries."""
    waiting = case.requests.filter(state="open").order_by("deadline").first()
    clock = case.clocks.live().filter(kind=states.DECISION).first()
    actions = case.actions.filter(state__in=[Action.OPEN, Action.BLOCKED]).select_related("owner")[:SHOWN_ROWS]
    return {
        **frozen_sheet(case, parts),
        "status": _status(case, clock, at),
        "decider": _decider(case),
        "asked": waiting.ask if waiting else "",
        "by_when": waiting.deadline if waiting else _by_when(clock, parts),
        "done_rows": list(milestones(case).order_by("-seq")[:SHOWN_ROWS])[::-1],
        "next_rows": list(actions),
        "named": [person for person in case.people.all() if person.duty],
    }


def frozen_sheet(case: Escalation, parts: BriefParts) -> dict[str, object]:
    """The sheet of a snapshot: its parts, without current facts."""
    texts = parts.get("texts", {})
    return {
        "case": case,
        "parts": parts,
        "texts": texts,
        "options": lettered(parts.get("options", [])),
        "lists": _lists(texts.get("conversation", "")),
        "tried": _lines(texts.get("troubleshooting", "")),
        "by_when": parse_datetime(parts.get("deadline") or ""),
    }


def lettered(options: list[Option]) -> list[Lettered]:
    """The options with A, B, C."""
    return [
        Lettered(
            letter=letter,
            name=option.get("name", ""),
            revenue=option.get("revenue", ""),
            exposure=option.get("exposure", ""),
            trade_off=option.get("trade_off", ""),
            conditions=conditions_of(option),
            recommended=option.get("recommended", False),
            status_quo=option.get("status_quo", False),
        )
        for letter, option in zip(LETTERS, options, strict=False)
    ]


def _lists(text: str) -> list[tuple[str, list[str]]]:
    found = conversation.split(text)
    return [(conversation.HEADS[name], _lines(words)) for name, words in found.items() if words]


def _lines(text: str) -> list[str]:
    return [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip()]


def _status(case: Escalation, decision: Clock | None, at: datetime) -> dict[str, object]:
    """The clock of the decision that is asked; without one the worst clock of the case."""
    if decision is not None:
        code = decision.status(at)
        return {
            "code": code,
            "word": STATUS_WORDS.get(code, ""),
            "clock": decision.label,
            "due_at": decision.due_at,
        }
    code = case.sla_status(at)
    label = dict(CHOICES).get(case.sla_clock, "")
    return {"code": code, "word": STATUS_WORDS.get(code, ""), "clock": label, "due_at": case.sla_due_at}


def _decider(case: Escalation) -> CasePerson | None:
    return next((person for person in case.people.all() if person.duty == CasePerson.AUTHORITY), None)


def _by_when(clock: Clock | None, parts: BriefParts) -> datetime | None:
    return clock.due_at if clock and clock.due_at else parse_datetime(parts.get("deadline") or "")


def milestones(case: Escalation) -> QuerySet[Event]:
    """Entries that are shown in a brief or a review."""
    return case.events.filter(kind__in=MILESTONES).select_related("actor")


def timeline(case: Escalation) -> list[Event]:
    """Milestones and moves, oldest first."""
    return list(case.events.filter(kind__in=[*MILESTONES, "moved"]).select_related("actor").order_by("seq")[:60])


# Then and now ------------------------------------------------------------------------------------


def compare(then: BriefParts, now: BriefParts) -> list[Compared]:
    """For each part, the text before and now as (kind, words) pieces; kind is "", del or ins."""
    return [_compared(part, name, then, now) for part, name in BriefPart.PARTS]


def _compared(part: str, name: str, then: BriefParts, now: BriefParts) -> Compared:
    before, after = as_words(part, then), as_words(part, now)
    left, right = word_diff(before, after)
    return Compared(part, name, before != after, left, right)


def as_words(part: str, parts: BriefParts) -> str:
    """One part as plain text."""
    if part == "options":
        return "\n".join(_option_words(option) for option in lettered(parts.get("options", [])))
    if part in COMPUTED:
        facts = (parts.get("classification") if part == "classification" else parts.get("account")) or {}
        return "\n".join(
            f"{LABELS.get(key) or key.replace('_', ' ').capitalize()}: {value}" for key, value in facts.items()
        )
    return str(parts.get("texts", {}).get(part, ""))


def _option_words(option: Lettered) -> str:
    marks = ["recommended"] * option.recommended + ["status quo"] * option.status_quo
    details = [option.revenue, option.exposure, option.trade_off, *option.conditions]
    mark = f" ({', '.join(marks)})" if marks else ""
    return f"{option.letter}. {option.name}{mark}: " + "; ".join(filter(None, details))


def word_diff(before: str, after: str) -> tuple[Pieces, Pieces]:
    """Pieces of the old and the new text, by words."""
    old, new = _tokens(before), _tokens(after)
    left: Pieces = []
    right: Pieces = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        _piece(left, "" if tag == "equal" else "del", old[i1:i2])
        _piece(right, "" if tag == "equal" else "ins", new[j1:j2])
    return left, right


def _tokens(text: str) -> list[str]:
    # Long texts are compared line by line, because comparing 20,000 characters by words would take seconds.
    if len(text) > 6000:
        return text.splitlines(keepends=True)
    return [f"{word} " for word in text.replace("\n", " \n ").split(" ") if word]


def _piece(pieces: Pieces, kind: str, words: Iterable[str]) -> None:
    text = "".join(words)
    if text:
        pieces.append((kind, text))
