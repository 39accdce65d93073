"""The rows of the table: what is asked for, as whom, beside which floor, and what it must reach."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from demo.benchmarks.client import Request
from demo.benchmarks.preparing import RARE
from demo.benchmarks.subjects import CSM, DIRECTOR, EXECUTIVE, WRITER, Subjects

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
CSRF = "b" * 32


@dataclass(frozen=True)
class Bar:
    """The most that is allowed. `times`: of the floor. `milliseconds`: from asking to the last byte. `processor`: ms of the
    web server. `growth`: times the smaller database."""

    times: float | None = None
    queries: int | None = None
    milliseconds: float | None = None
    processor: float | None = None
    bytes: int | None = None
    growth: float | None = None


@dataclass(frozen=True)
class Row:
    """A request of the product, and the request of its floor ('' if it has none). `helpdesk`: ms of django-helpdesk."""

    name: str
    who: str
    path: str
    floor: str = ""
    bar: Bar = field(default_factory=Bar)
    helpdesk: float | None = None
    writes: str = ""  # what is created: "page" or "api"


QUEUE = Bar(times=3.5, processor=50, queries=8, growth=1.3)
CASE = Bar(times=4.5, queries=15, growth=1.3)
CREATE = Bar(queries=45, processor=70)
SEARCH = Bar(times=2.5)
DASHBOARD, FIGURES = Bar(milliseconds=150, queries=12, growth=1.3), Bar(milliseconds=500)
INBOX = Bar(milliseconds=60, queries=8)
PAGE = Bar(times=4)
INTAKE = Bar(times=4, bytes=30 * 1024)
LIST = Bar(times=3)

# django-helpdesk 2.6.1 with 100,000 tickets and 300,000 follow-ups on SQLite, p50 in ms of one client over HTTP, measured on
# 28 November 2026 on the same kind of machine (two cores).
HELPDESK_QUEUE, HELPDESK_CASE, HELPDESK_CREATE = 1_776, 89, 18
HELPDESK_COMMON, HELPDESK_RARE = 3_545, 792
HELPDESK_DASHBOARD, HELPDESK_API = 5_582, 51_000


def rows(of: Subjects) -> list[Row]:
    """All rows of the table for this database."""
    return [*_queues(of), *_cases(of), *_creates(), *_searches(of), *_figures(of), *_others(of), *_api(of)]


def _queues(of: Subjects) -> list[Row]:
    def queue(who: str, name: str, query: str, floor: str) -> Row:
        return Row(f"queue, {who}{name}", who, f"/escalations/{query}", f"/queue?of={floor}", QUEUE, HELPDESK_QUEUE)

    last = max(0, of.open_cases - 25)
    return [
        queue(EXECUTIVE, "", "", "all"),
        queue(EXECUTIVE, ", filtered", "?tier=red", "all&tier=red"),
        queue(EXECUTIVE, ", last page", f"?{of.last_page}", f"all&from={last}"),
        queue(DIRECTOR, "", "", "director"),
        queue(DIRECTOR, ", past SLA", "?status=red", "director"),
        queue(CSM, "", "", "csm"),
    ]


def _cases(of: Subjects) -> list[Row]:
    def floor(key: str) -> str:
        return f"/case?pk={key.removeprefix('ESC-')}"

    short, long = of.case, of.long_case
    return [
        Row("case", EXECUTIVE, f"/escalations/{short}/", floor(short), CASE, HELPDESK_CASE),
        Row("case with 1,000 posts", EXECUTIVE, f"/escalations/{long}/", floor(long), CASE),
        Row("history of 1,000 posts", EXECUTIVE, f"/escalations/{long}/history/", floor(long)),
    ]


def _creates() -> list[Row]:
    return [
        Row("create by page", WRITER, "/escalations/new/", "/create", CREATE, HELPDESK_CREATE, writes="page"),
        Row("create by API", WRITER, "/api/v1/escalations/", "/create", CREATE, HELPDESK_CREATE, writes="api"),
    ]


def _searches(of: Subjects) -> list[Row]:
    words = (
        ("common word", of.common, HELPDESK_COMMON),
        ("rare word", RARE, HELPDESK_RARE),
        ("prefix", of.common[:4], HELPDESK_COMMON),
    )
    return [
        Row(f"search, {name}", EXECUTIVE, f"/search/?q={word}", f"/search?q={word}", SEARCH, helpdesk)
        for name, word, helpdesk in words
    ]


def _figures(of: Subjects) -> list[Row]:
    region = urlencode({"period": 90, "region": of.region})
    return [
        Row("dashboard, 90 days", EXECUTIVE, "/dashboard/", "", DASHBOARD, HELPDESK_DASHBOARD),
        Row("dashboard, director", DIRECTOR, "/dashboard/", "", DASHBOARD, HELPDESK_DASHBOARD),
        Row("dashboard, 365 days", EXECUTIVE, f"/dashboard/?period=custom&{of.year}", "", FIGURES),
        Row("dashboard, one region", EXECUTIVE, f"/dashboard/?{region}", "", FIGURES),
    ]


def _others(of: Subjects) -> list[Row]:
    return [
        Row("inbox, executive", EXECUTIVE, "/approvals/", "", INBOX),
        Row("inbox, director", DIRECTOR, "/approvals/", "", INBOX),
        Row("inbox, decided", DIRECTOR, "/approvals/?tab=decided", "", INBOX),
        Row("account", EXECUTIVE, f"/accounts/{of.account}/", f"/account?pk={of.account}", PAGE),
        Row("accounts", EXECUTIVE, "/accounts/", "/accounts", PAGE),
        Row("notifications", EXECUTIVE, "/notifications/", "/notifications", PAGE),
        Row("matrix of levels", EXECUTIVE, "/matrices/escalation/", "/nothing", PAGE),
        Row("matrix of authority", EXECUTIVE, "/matrices/authority/", "/nothing", PAGE),
        Row("targets", EXECUTIVE, "/matrices/sla/", "/nothing", PAGE),
        Row("reviews", EXECUTIVE, "/reviews/", "/reviews", PAGE),
        Row("intake, executive", EXECUTIVE, "/escalations/new/", "/nothing", INTAKE),
        Row("intake, CSM", CSM, "/escalations/new/", "/nothing", INTAKE),
    ]


def _api(of: Subjects) -> list[Row]:
    lists = (
        ("accounts", "accounts", "accounts", None),
        ("cases", "escalations", "cases", HELPDESK_API),
        ("approvals", "approvals", "approvals", None),
    )
    return [
        *(
            Row(
                f"API {name}, {size}",
                EXECUTIVE,
                f"/api/v1/{path}/?page_size={size}",
                f"/api/{floor}?size={size}",
                LIST,
                helpdesk if size == 25 else None,
            )
            for name, path, floor, helpdesk in lists
            for size in (25, 100)
        ),
        Row("API case", EXECUTIVE, f"/api/v1/escalations/{of.case}/", f"/case?pk={of.case[4:]}", CASE),
        Row(
            "API case, 1,000 posts",
            EXECUTIVE,
            f"/api/v1/escalations/{of.long_case}/",
            f"/case?pk={of.long_case[4:]}",
            CASE,
        ),
    ]


def request(row: Row, of: Subjects, number: int = 0) -> Request:
    """The request of the product; each of a row that writes is for another account."""
    visitor = of.visitors[row.who]
    api = row.path.startswith("/api/")
    cookies = f"sessionid={visitor.session}; csrftoken={CSRF}"
    headers = {"Authorization": f"Token {visitor.token}"} if api else {"Cookie": cookies}
    headers |= {"Accept-Encoding": "gzip", "Accept": "*/*"}
    if not row.writes:
        return Request("GET", row.path, headers)
    given = case_to_open(of, of.accounts, number)
    if row.writes == "api":
        given["deadline"] += ":00Z"
        return Request("POST", row.path, {**headers, "Content-Type": JSON}, json.dumps(given))
    return Request(
        "POST", row.path, {**headers, "Content-Type": FORM}, urlencode({**given, "csrfmiddlewaretoken": CSRF})
    )


def case_to_open(of: Subjects, accounts: Sequence[int], number: int) -> dict[str, str]:
    """The values of a new case, on each of these accounts in turn."""
    return {
        "account": str(accounts[number % len(accounts)]),
        "issue_type": of.issue_type,
        "issue": f"They stopped the roll-out for the {number}th time. The integration does not answer.",
        "impact": "The renewal is at risk if nobody decides this week.",
        "deadline": of.deadline,
        "currency": "USD",
    }


def floor_request(row: Row, of: Subjects) -> Request:
    """The request of the floor."""
    headers = {"Cookie": f"sessionid={of.visitors[row.who].session}"}
    return Request("POST" if row.writes else "GET", row.floor, headers)
