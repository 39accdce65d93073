"""Search over escalations, accounts and people; a case number opens the case. Only visible rows are found or counted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Case, IntegerField, Model, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Account, User
from escalations import states
from escalations.models import Escalation
from ledger.now import now

SHOWN = 5
A_PAGE = 50
MOST_WORDS = 8
LONGEST = 200
CASE_NUMBER = re.compile(r"(?:esc[- ]?)?#?(\d{1,15})", re.IGNORECASE)
CASES, ACCOUNTS, PEOPLE = "escalations", "accounts", "people"
NAMES = {CASES: "Escalations", ACCOUNTS: "Accounts", PEOPLE: "People"}
FIELDS: dict[str, Sequence[str]] = {
    CASES: ("title", "issue", "account__name", "root_cause"),
    ACCOUNTS: ("name", "external_id", "domains__domain", "contacts__name", "contacts__email"),
    PEOPLE: ("name", "email", "team"),
}


@dataclass(frozen=True)
class Hit:
    """One row: its link, its text, and the text at its end."""

    icon: str
    href: str
    title: SafeString
    text: SafeString
    end: str
    state: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True)
class Group:
    """The results of one kind."""

    kind: str
    name: str
    count: int
    page: Page[Model]
    hits: list[Hit]


Found = TypeVar("Found", bound=Model)


def words_of(text: str) -> list[str]:
    """The search words; words in quotation marks stay together. At most 8."""
    found = re.findall(r'"([^"]+)"|“([^”]+)”|(\S+)', text[:LONGEST])
    return [next(filter(None, parts)).strip().strip('"') for parts in found][:MOST_WORDS]


def jump(user: User, text: str) -> str:
    """Address of the case with the typed number, or '' if this person may not see it or it does not exist."""
    match = CASE_NUMBER.fullmatch(text.strip())
    case = Escalation.objects.visible_to(user).filter(pk=int(match.group(1))).first() if match else None
    return reverse("escalations:case", args=[case.key]) if case else ""


def _matching(rows: QuerySet[Found], fields: Sequence[str], words: list[str]) -> QuerySet[Found]:
    for word in words:
        rule = Q()
        for field in fields:
            rule |= Q(**{f"{field}__icontains": word})
        rows = rows.filter(pk__in=rows.model._default_manager.filter(rule).values("pk"))
    return rows


def _colleagues(user: User) -> QuerySet[User]:
    """Colleagues. An external party without another role cannot search people."""
    inside = user.is_superuser or bool(user.role_slugs - {"external"})
    return User.objects.filter(is_active=True) if inside else User.objects.filter(pk=user.pk)


def found(user: User, text: str) -> dict[str, QuerySet[Any]]:
    """The rows that match every word, by kind; `@name` searches people only."""
    people_only = text.startswith("@")
    words = words_of(text.removeprefix("@"))
    open_first = Case(When(state__in=states.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
    cases = Escalation.objects.visible_to(user).select_related("account").order_by(open_first, "-id")
    rows: dict[str, QuerySet[Any]] = {
        CASES: cases,
        ACCOUNTS: Account.objects.visible_to(user).order_by("name", "id"),
        PEOPLE: _colleagues(user).order_by("name", "id"),
    }
    skipped = {CASES, ACCOUNTS} if people_only else set()
    return {
        kind: queryset.none() if kind in skipped or not words else _matching(queryset, FIELDS[kind], words)
        for kind, queryset in rows.items()
    }


def marked(text: str, words: list[str]) -> SafeString:
    """The text, escaped, with every word found marked."""
    if not words:
        return format_html("{}", text)
    pattern = re.compile("(" + "|".join(re.escape(word) for word in words) + ")", re.IGNORECASE)
    pieces = pattern.split(text)
    parts = [f'<mark class="found">{escape(p)}</mark>' if i % 2 else escape(p) for i, p in enumerate(pieces)]
    return mark_safe("".join(parts))  # noqa: S308 - every piece is escaped


def _around(text: str, words: list[str], width: int = 140) -> str:
    """The part of a long text that contains the first word."""
    flat = " ".join(text.split())
    at = min((place for word in words if (place := flat.lower().find(word.lower())) >= 0), default=0)
    start = max(0, at - width // 3)
    return ("… " if start else "") + flat[start : start + width] + (" …" if len(flat) > start + width else "")


def _case_hit(case: Escalation, words: list[str]) -> Hit:
    state = case.sla_status(now()) if case.is_open else ""
    text = format_html(
        "{} · {} · {}", case.key, marked(case.account.name, words), marked(_around(case.issue, words), words)
    )
    href = reverse("escalations:case", args=[case.key])
    return Hit(
        "arrow-up-right", href, marked(case.title, words), text, case.get_state_display(), state, case.sla_due_at
    )


def _account_hit(account: Account, words: list[str]) -> Hit:
    facts = " · ".join(filter(None, (account.external_id, account.segment, account.country)))
    href = reverse("accounts:detail", args=[account.pk])
    return Hit("building", href, marked(account.name, words), marked(facts, words), account.get_kind_display())


def _person_hit(person: User, words: list[str]) -> Hit:
    text = marked(" · ".join(filter(None, (person.email, person.team))), words)
    return Hit("person-fill", f"mailto:{person.email}", marked(person.name, words), text, person.region)


HITS = {CASES: _case_hit, ACCOUNTS: _account_hit, PEOPLE: _person_hit}


def group(kind: str, rows: QuerySet[Any], words: list[str], number: str, size: int) -> Group:
    """One kind, `size` rows a page. Two queries."""
    page = Paginator(rows, size).get_page(number)
    make: Any = HITS[kind]
    return Group(kind, NAMES[kind], page.paginator.count, page, [make(row, words) for row in page])


def search(request: HttpRequest) -> HttpResponse:
    """The results page, or a redirect to the case with the typed number."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    if href := jump(request.user, text):  # type: ignore[arg-type]
        return redirect(href)
    words, kind = words_of(text.removeprefix("@")), request.GET.get("kind", "")
    kind = kind if kind in NAMES else ""
    size, number = (A_PAGE, request.GET.get("page", "1")) if kind else (SHOWN, "1")
    rows = found(request.user, text)  # type: ignore[arg-type]
    groups = [group(each, rows[each], words, number, size if each == kind else SHOWN) for each in NAMES]
    shown = [each for each in groups if each.count and kind in ("", each.kind)]
    total = sum(each.count for each in groups)
    context = {"q": text, "kind": kind, "groups": groups, "shown": shown, "total": total}
    return render(request, "config/search.html", context)
