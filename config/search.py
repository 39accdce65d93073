"""Search over escalations, accounts and people; a case number opens the case. Only visible rows are found or counted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Account, User
from accounts.people.choosing import colleagues
from escalations.models import Escalation
from ledger.format import number
from ledger.now import now
from ledger.pagination import ListPaginator
from ledger.parameters import known
from ledger.search.index import Hits, SearchableQuerySet
from ledger.search.rules import LONGEST_TYPED, Query

SHOWN = 5
A_PAGE = 50
# Of each kind, the newest hits that are ranked, counted and shown.
MOST = 1000
AROUND = 140
CASE_NUMBER = re.compile(r"(?:esc[- ]?)?#?(\d{1,15})", re.IGNORECASE)
CASES, ACCOUNTS, PEOPLE = "escalations", "accounts", "people"
NAMES = {CASES: "Escalations", ACCOUNTS: "Accounts", PEOPLE: "People"}


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
    """The results of one kind. With `more`, `count` are only the newest ones."""

    kind: str
    name: str
    count: int
    more: bool
    page: Page[int]
    hits: list[Hit]

    @property
    def counted(self) -> str:
        """`7`, `1,000+`."""
        return f"{number(self.count)}{'+' * self.more}"


def jump(user: User, text: str) -> str:
    """Address of the case with the typed number, or '' if this person may not see it or it does not exist."""
    match = CASE_NUMBER.fullmatch(text.strip())
    case = Escalation.objects.visible_to(user, few=True).filter(pk=int(match.group(1))).first() if match else None
    return reverse("escalations:case", args=[case.key]) if case else ""


def found(user: User, text: str) -> dict[str, Hits]:
    """What matches every word, by kind; `@name` searches people only."""
    words = text.removeprefix("@")
    hits = dict.fromkeys(NAMES, Hits([], more=False))
    hits[PEOPLE] = cast("SearchableQuerySet[User]", colleagues(user)).best(words, MOST)
    if words == text:
        hits[CASES] = Escalation.objects.found_by(user, words, MOST)
        hits[ACCOUNTS] = Account.objects.found_by(user, words, MOST)
    return hits


def marked(text: str, query: Query) -> SafeString:
    """The text, escaped, with everything found marked."""
    parts = [
        f'<mark class="found">{escape(piece)}</mark>' if hit else escape(piece) for piece, hit in query.pieces(text)
    ]
    return mark_safe("".join(parts))  # noqa: S308 - every piece is escaped


def _case_hit(case: Escalation, query: Query) -> Hit:
    state = case.sla_status(now()) if case.is_open else ""
    account, issue = marked(case.account.name, query), marked(query.around(case.issue, AROUND), query)
    text = format_html("{} · {} · {}", case.key, account, issue)
    href = reverse("escalations:case", args=[case.key])
    return Hit(
        "arrow-up-right", href, marked(case.title, query), text, case.get_state_display(), state, case.sla_due_at
    )


def _account_hit(account: Account, query: Query) -> Hit:
    facts = " · ".join(filter(None, (account.external_id, account.segment, account.country)))
    href = reverse("accounts:detail", args=[account.pk])
    return Hit("building", href, marked(account.name, query), marked(facts, query), account.get_kind_display())


def _person_hit(person: User, query: Query) -> Hit:
    text = marked(" · ".join(filter(None, (person.email, person.team))), query)
    return Hit("person-fill", f"mailto:{person.email}", marked(person.name, query), text, person.region)


# The rows of each kind with the columns that a hit shows, and how it shows them.
CASE_COLUMNS = ("title", "issue", "state", "account__name", "sla_due_at", "sla_warn_at", "sla_paused_at")
SHOW: dict[str, tuple[QuerySet[Any], Callable[[Any, Query], Hit]]] = {
    CASES: (Escalation.objects.select_related("account").only(*CASE_COLUMNS), _case_hit),
    ACCOUNTS: (Account.objects.only("name", "external_id", "segment", "country", "kind"), _account_hit),
    PEOPLE: (User.objects.only("name", "email", "team", "region"), _person_hit),
}


def group(kind: str, hits: Hits, query: Query, page_number: str, size: int) -> Group:
    """One kind, `size` rows a page. One query."""
    page = ListPaginator(hits.ids, size).get_page(page_number)
    rows, show = SHOW[kind]
    by_id = rows.in_bulk(list(page)) if hits.ids else {}
    return Group(
        kind, NAMES[kind], len(hits.ids), hits.more, page, [show(by_id[pk], query) for pk in page if pk in by_id]
    )


@known(q=None, kind=NAMES, page=None)
def search(request: HttpRequest) -> HttpResponse:
    """The results page, or a redirect to the case with the typed number."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_TYPED]
    if href := jump(request.user, text):  # type: ignore[arg-type]
        return redirect(href)
    query, kind = Query.read(text.removeprefix("@")), request.GET.get("kind", "")
    kind = kind if kind in NAMES else ""
    size, page_number = (A_PAGE, request.GET.get("page", "1")) if kind else (SHOWN, "1")
    hits = found(request.user, text)  # type: ignore[arg-type]
    groups = [group(each, hits[each], query, page_number, size if each == kind else SHOWN) for each in NAMES]
    context = {
        "q": text,
        "kind": kind,
        "groups": groups,
        "shown": [each for each in groups if each.count and kind in ("", each.kind)],
        "total": sum(each.count for each in groups),
        "more": any(each.more for each in groups),
        "most": MOST,
    }
    return render(request, "config/search.html", context)
