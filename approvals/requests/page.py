"""The values of the components on the page of one request."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.urls import reverse

from accounts.calendars.rules import deadlines
from accounts.models import Role, User
from approvals.matrix.rules.units import amount_words, quantity_words, unit_of
from approvals.matrix.totals import sum_words
from approvals.models import ApprovalRequest, DecisionEntry, Seat, Suggestion
from approvals.requests import plan
from approvals.requests.permissions import STATE_WORDS, Permission, for_user, what_happened
from approvals.requests.rules import seats as rules
from approvals.requests.rules import verdicts
from approvals.requests.rules.suggestions import NAMES
from approvals.requests.rules.terms import BASIS, GIVE_GETS
from ledger.format import file_size, listed, money, money_short

NOT_PARTS = {"version", "number", "key", "title", "missing", "at", "deadline"}
TITLES = {"ask": "The ask", "account": "Account context", "artifacts": "Key artifacts"}
SUGGESTED = {
    verdicts.APPROVED: "Approve",
    verdicts.CONDITIONS: "Approve with conditions",
    verdicts.DECLINED: "Decline",
}

MARKS = {
    Seat.ASKED: ("wait", "is asked"),
    Seat.PASSED_UP: ("none", "did not decide, escalated"),
    Seat.RECALLED: ("none", "was asked, recalled"),
    Seat.DELEGATED: ("none", "delegated it"),
    Seat.VOIDED: ("none", "was asked on terms that changed"),
    Seat.SETTLED: ("none", "was asked, decided without them"),
    Seat.REASSIGNED: ("none", "was asked, could not decide any more"),
}


def page(request: ApprovalRequest, user: User, at: datetime) -> dict[str, object]:
    """Context of components/decision.html, and whether the viewer may decide and why not."""
    right = for_user(request, user, at) if request.is_open else None
    return {
        "approval": request,
        "right": right,
        "guard": _guard(request, right, user, at),
        "advice": verdicts.recommended_verdict(request.options),
        "state": due_state(request, at) if request.is_open else "",
        "due_at": request.deadline,
        "paused_at": request.paused_at,
        "warn_at": request.warn_at,
        "reference": request.case_key,
        "href": request.case_url,
        "ask": request.ask,
        "lead": _lead(request, user),
        "terms": terms(request, user, right, at),
        "recommendation": request.recommendation,
        "conditions": verdicts.recommended_conditions(request.options),
        "stages": stages(request),
        "brief_href": reverse("approvals:brief", args=[request.pk]) if request.brief else "",
        **_suggested(request, user, right),
        "log": list(request.log.select_related("actor", "on_behalf_of")),
    }


def suggestion_for(request: ApprovalRequest, user: User, right: Permission | None) -> Suggestion | None:
    """The newest suggestion, for people who decide or have decided and for executives. Requesters do not see it,
    because it shows what others were granted."""
    found = next(iter(request.suggestions.all()), None)
    if found is None or user.sees == Role.ALL or (right and right.may_decline):
        return found
    seated = any(user.pk in (seat.person_id, seat.said_by_id) for seat in request.all_seats() if seat.asked_at)
    return found if seated and user.pk != request.requester_id else None


def _suggested(request: ApprovalRequest, user: User, right: Permission | None) -> dict[str, object]:
    found = suggestion_for(request, user, right)
    return {
        "suggestion": found,
        "suggested_words": SUGGESTED.get(found.verdict, "") if found else "",
        "suggested_rule": NAMES.get(found.rule, found.rule) if found else "",
    }


def _guard(request: ApprovalRequest, right: Permission | None, user: User, at: datetime) -> str:
    if right is None:
        return f"{what_happened(request, user, at)}."
    return "" if right.may_decide else right.words


def _lead(request: ApprovalRequest, user: User) -> str:
    seat = request.authority_seat
    whom = "you" if seat and seat.person_id == user.pk else str(seat.person) if seat else ""
    asked = f"{request.requester} asks {whom} as {seat.role}." if seat else ""
    return f"{asked} {request.why_now}".strip()


def due_state(request: ApprovalRequest, at: datetime) -> str:
    """Code of the SLA chip: pau while the clock of the case is paused, red from the deadline on, yel from its warning on,
    else grn."""
    if request.paused_at is not None:
        return deadlines.PAUSED
    return deadlines.colour(at, due_at=request.deadline, warn_at=request.warn_at)


def amount(request: ApprovalRequest) -> str:
    """The amount, short enough for a list."""
    if request.amount is None:
        return request.concession_name
    return amount_words(request.unit, request.amount, request.currency or "USD")


def terms(request: ApprovalRequest, user: User, right: Permission | None, at: datetime) -> list[dict[str, object]]:
    """The ask, the limit of the role below, your limit, what is added up, ARR, and the frozen terms."""
    below = (request.rule.get("below") or [None])[-1]
    rows = [_row("Requested", amount_words(request.unit, request.amount, request.currency or "USD"), over=bool(below))]
    rows[0]["note"] = _excess(request, below) if below else ""
    if unit_of(request.unit).in_currency and request.currency != "USD":
        rows.append(_row("In USD", money(request.amount_usd or Decimal(0))))
    rows += _added_up(request, right, at)
    if below:
        rows.append(_row(f"Limit of {below['role']}", below["limit"]))
    if limit := (right.limit if right and right.limit else request.rule.get("limit")):
        mine = request.approver == user or bool(right and right.may_decide)
        rows.append(_row("Your limit" if mine else f"{request.approver_role} limit", limit))
    if request.account.arr is not None:
        rows.append(_row("ARR protected", money(request.account.arr, request.account.currency)))
    if request.beneficiary:
        rows.append(_row("Beneficiary", str(request.beneficiary)))
    return rows + [_row(_name(key), ", ".join(map(str, value)) if isinstance(value, list) else value)
                   for key, value in _wording(request)]  # fmt: skip


def _name(key: str) -> str:
    return "In return" if key == GIVE_GETS else key.replace("_", " ").capitalize()


def _row(label: str, value: object, *, over: bool = False) -> dict[str, object]:
    return {"label": label, "value": value, "over": over}


def _excess(request: ApprovalRequest, below: dict[str, str]) -> str:
    total = request.rule.get("total")
    if total is None or below["up_to"] == "None":
        return ""
    excess = Decimal(total) - Decimal(below["up_to"])
    words = quantity_words(request.unit, excess)
    over = f"{words} over what the {below['role']} may grant"
    added = Decimal(request.rule.get("granted") or 0)
    return f"Together {quantity_words(request.unit, Decimal(total))}, {over}" if added else over


def _added_up(request: ApprovalRequest, right: Permission | None, at: datetime) -> list[dict[str, object]]:
    """An open request counts what was granted until now, an ended one what was granted when it was made."""
    counted = right is not None and right.total is not None
    given = right.granted if right and counted else Decimal(request.rule.get("granted") or 0)
    words = sum_words(request, given, at if request.is_open else request.opened_at)
    return [_row("Added up", words)] if words else []


def _wording(request: ApprovalRequest) -> list[tuple[str, object]]:
    return [(key, value) for key, value in request.terms.items() if key not in BASIS and value not in ("", None)]


def rows(requests: Iterable[ApprovalRequest], at: datetime, *, asked: bool) -> list[dict[str, object]]:
    """The rows of the list beside the decision; with the people who are asked and the stage if `asked`."""
    return [
        {
            "approval": each,
            "state": due_state(each, at),
            "warn_at": each.warn_at,
            "amount": amount(each),
            "arr": money_short(each.account.arr, each.account.currency) if each.account.arr else "",
            "asked": listed([str(person) for person in asked_now(each)]) if asked else "",
        }
        for each in requests
    ]


def options(request: ApprovalRequest) -> list[dict[str, object]]:
    """The options of the request, each with its conditions as a list."""
    return [{**option, "conditions": verdicts.conditions_of(option)} for option in request.options]


def brief_parts(request: ApprovalRequest) -> list[tuple[str, str]]:
    """The frozen brief as (title, text), for all forms in which its parts were kept."""
    parts = request.brief.get("parts", request.brief)
    pairs = _flat(parts) if isinstance(parts, dict) else [(str(n), part) for n, part in enumerate(parts, 1)]
    elsewhere = NOT_PARTS | {"options"} if request.options else NOT_PARTS
    found = [_files(part) if key == "files" else _part(str(key), part) for key, part in pairs if key not in elsewhere]
    return [(title, text) for title, text in found if text]


def _files(frozen: object) -> tuple[str, str]:
    """The files of the frozen brief, with the start of their fingerprints."""
    rows = [each for each in frozen if isinstance(each, dict)] if isinstance(frozen, list) else []
    if not all(each.keys() >= {"name", "size", "sha256"} for each in rows):
        return _part("files", frozen)  # of a brief that another system wrote
    lines = (f"- {each['name']}, {file_size(each['size'])}, SHA-256 {each['sha256'][:12]}…" for each in rows)
    return "Files", "\n".join(lines)


def _flat(parts: dict[str, object]) -> list[tuple[str, object]]:
    """The texts that people wrote, then the computed values."""
    texts = parts.get("texts")
    if not isinstance(texts, dict):
        return list(parts.items())
    return [*texts.items(), *((key, part) for key, part in parts.items() if key != "texts")]


def _part(key: str, part: object) -> tuple[str, str]:
    title = TITLES.get(key) or key.replace("_", " ").capitalize()
    if isinstance(part, dict):
        said = next((part[name] for name in ("text", "value", "rows", "data") if part.get(name)), None)
        if said is None and not part.keys() & {"text", "value", "rows", "data"}:
            return title, _text(part)
        return str(part.get("label") or part.get("title") or part.get("name") or title), _text(said or "")
    return title, _text(part)


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"- {_label(key)}: {_text(each)}" for key, each in value.items() if each not in ("", None, []))
    if isinstance(value, list | tuple):
        return "\n".join(f"- {_line(each)}" for each in value)
    return str(value)


def _line(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{_label(key)}: {_word(each)}" for key, each in value.items() if each not in ("", None))
    return str(value)


def _label(key: str) -> str:
    text = key.replace("_", " ")
    return text.upper() if text in ("arr", "csm") else text.capitalize()


def _word(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def told(request: ApprovalRequest, right: Permission, verdict: str) -> list[str]:
    """The effects of submitting, for the confirm page."""
    if more := still_needed(request, right, verdict):
        return [
            f"Your decision is recorded; the request waits for {more}",
            "You can undo for 10 minutes, until the next stage is asked",
        ]
    people = [str(request.requester)]
    people += [str(request.approver)] if right.override and request.approver else []
    people += [str(right.on_behalf_of)] if right.on_behalf_of else []
    lines = [f"{listed(people)} {'are' if len(people) > 1 else 'is'} told straight away"]
    if request.case_key:
        granted = verdict != verdicts.DECLINED
        lines.append(
            f"The decision goes on the record of {request.case_key}, "
            f"{'so that it can be carried out' if granted else 'and its owner looks for another way'}"
        )
    lines.append("You can undo for 10 minutes, until the customer is told")
    return lines


def last_question(request: ApprovalRequest) -> DecisionEntry | None:
    """The question that still waits for an answer."""
    said = request.log.filter(kind__in=(DecisionEntry.QUESTION, DecisionEntry.ANSWER)).last()
    return said if said and said.kind == DecisionEntry.QUESTION else None


def stages(request: ApprovalRequest) -> list[dict[str, object]]:
    """Stages for components/chain.html: each with its past and current seats in order, then the later ones."""
    planned = plan.stages_of(request, plan.last_states(request))
    shown = []
    for stage in planned:
        seats = [seat for seat in request.all_seats() if seat.stage == stage.number]
        lines = [_seat_row(seat) for seat in seats if seat.state != Seat.PLANNED]
        if request.is_open:
            lines += [_later(seat) for seat in seats if seat.state == Seat.PLANNED]
        words = listed([f"{group.name}: {group.words}" for group in stage.groups if group.decides and group.words])
        if lines:
            now_asked = request.is_open and stage.number == request.stage
            shown.append({"number": stage.number, "name": stage.name, "words": words, "seats": lines, "now": now_asked})
    return [{**each, "alone": len(shown) == 1} for each in shown]


def _later(seat: Seat) -> dict[str, object]:
    says = "is asked then" if seat.part == Seat.DECIDE else "is consulted then"
    return {"state": "none", "who": str(seat.person), "says": says, "meta": seat.role.name}


def _seat_row(seat: Seat) -> dict[str, object]:
    mark, says = MARKS.get(seat.state, ("", ""))
    who = str(seat.person)
    if seat.part == Seat.CONSULT and seat.state == Seat.ASKED:
        says = "is consulted"
    if seat.state == Seat.DECIDED:
        mark = "red" if seat.verdict == verdicts.DECLINED else "green"
        says = STATE_WORDS.get(seat.verdict, seat.verdict)
        if seat.said_by and seat.said_by_id != seat.person_id:
            who, says = str(seat.said_by), f"{says} in place of {seat.person}"
    if seat.stands_for:
        says = f"{says}, for {seat.stands_for}"
    limit = f", limit {seat.limit}" if seat.limit else ""
    return {"state": mark, "who": who, "says": says, "meta": f"{seat.role}{limit}", "text": _said(seat)}


def _said(seat: Seat) -> str:
    given = f"Conditions: {'; '.join(seat.conditions.splitlines())}" if seat.conditions else ""
    return ". ".join(text.rstrip(".") for text in (given, seat.reason) if text)


def waits_on(request: ApprovalRequest, user: User) -> bool:
    """Whether the person, or a person they stand in for, is asked now."""
    return ApprovalRequest.objects.waiting_on(user).filter(pk=request.pk).exists()


def asked_now(request: ApprovalRequest) -> list[User]:
    """All people whose decision is waited for."""
    return [seat.person for seat in request.all_seats() if seat.waits]


def waits_for(request: ApprovalRequest) -> str:
    """All people whose decision is waited for, as text."""
    return listed([str(person) for person in asked_now(request)]) or "nobody"


def still_needed(request: ApprovalRequest, right: Permission, verdict: str) -> str:
    """The people who are still needed after this verdict; empty if it may end the request."""
    planned = plan.stages_of(request)
    seats = {seat.number: seat for seat in request.all_seats()}
    said = {number: seat.verdict for number, seat in seats.items() if seat.state == Seat.DECIDED}
    mine = seats.get(right.seat or 0)
    stage = next(each for each in planned if each.number == (mine.stage if mine else request.stage))
    if right.override:
        groups = [replace(group, override=right.seat) if group.authority else group for group in stage.groups]
        stage = replace(stage, groups=tuple(groups))
    outcome = rules.stage_outcome(stage, {**said, right.seat or 0: verdict})
    if outcome == rules.WAITING:
        return listed([str(seat.person) for seat in seats.values() if seat.waits and seat != mine])
    if outcome == verdicts.DECLINED:
        return ""
    return next((each.name for each in planned if each.number > stage.number), "")


def acts(request: ApprovalRequest, user: User, *, may_lead: bool) -> dict[str, object]:
    """The actions of the page besides deciding."""
    mine = [seat for seat in request.all_seats() if seat.person_id == user.pk]
    seated = any(seat.part == Seat.DECIDE and seat.state in (Seat.ASKED, Seat.DECIDED) for seat in mine)
    recalled = request.state == ApprovalRequest.RECALLED
    granted = request.state in ApprovalRequest.GRANTED
    return {
        "may_recall": may_lead,
        "may_change": may_lead and (granted or (request.is_open and not seated)),
        "may_ask_again": may_lead and recalled and not request.replaced_by.exists(),
        "may_delegate": request.is_open and any(seat.waits and not seat.stands_for_id for seat in mine),
        "is_consulted": any(seat.part == Seat.CONSULT and seat.state == Seat.ASKED for seat in mine),
        "waits_for": waits_for(request) if request.is_open else "",
        "newer": request.replaced_by.order_by("-pk").first() if not request.is_open else None,
    }
