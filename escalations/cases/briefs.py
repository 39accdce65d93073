"""The brief as data and as a PDF: the same form for the screen, the frozen snapshot and print."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from accounts.models import Account
from approvals.pdf.printer import printer
from escalations.cases.rules.brief import BriefParts, missing
from escalations.models import BriefPart, Escalation
from ledger.format import day, days_until, money


def first_parts(case: Escalation, at: datetime) -> list[BriefPart]:
    """The first texts of a new brief, from the intake form; not saved yet."""
    texts = {"summary": case.issue, "facts": case.impact, "ask": case.requested_support}
    given = [(part, text) for part, text in texts.items() if text.strip()]
    return [BriefPart(case=case, part=part, text=text, by=case.opened_by, at=at) for part, text in given]


def current_parts(case: Escalation, at: datetime) -> BriefParts:
    """All parts of the brief as plain values; computed parts (classification, account) come from the case."""
    found = first_parts(case, at) if case.is_new else case.brief_parts.all()
    rows = {row.part: row for row in found}
    texts = {part: rows[part].text for part, _ in BriefPart.PARTS if part in rows}
    options = list(rows["options"].data.get("rows", [])) if "options" in rows else []
    return {
        "key": case.key,
        "title": case.title,
        "texts": texts,
        "options": options,
        "classification": classification(case),
        "account": account_facts(case.account, at),
        "deadline": case.deadline.isoformat() if case.deadline else "",
        "missing": missing(texts, options),
        "at": at.isoformat(),
    }


def classification(case: Escalation) -> dict[str, str]:
    """Type, tier, lane and level as text."""
    return {
        "issue_type": case.issue_type.name,
        "tier": case.get_tier_display(),
        "lane": case.get_lane_display(),
        "level": case.get_level_display(),
        "type": case.get_kind_display(),
        "score": str(case.score),
    }


def account_facts(account: Account, at: datetime) -> dict[str, str]:
    """The facts about the account for an executive."""
    renewal = ""
    if account.renewal_date:
        renewal = f"{day(account.renewal_date)} ({days_until(account.renewal_date, at.date())})"
    return {
        "name": account.name,
        "arr": money(account.arr, account.currency) if account.arr is not None else "not known",
        "renewal": renewal or "no date",
        "region": account.region or account.country or "not known",
        "health": str(account.health) if account.health is not None else "not known yet",
        "segment": account.segment or "not known",
        "owner": account.csm.name if account.csm else "no CSM",
    }


def gaps(case: Escalation, at: datetime) -> list[str]:
    """The missing parts without which the brief cannot be sent."""
    return list(current_parts(case, at)["missing"])


# Tried in this order until the sheet fits one page: class of the body, longest text in characters. A page has room for
# about 4,000 characters; laying out many more would take minutes.
SIZES = (("", 2_000), ("small", 2_000), ("small", 600), ("small", 300), ("small", 140))


def pdf(context: Mapping[str, object]) -> bytes:
    """The sheet as a PDF of exactly one page; long texts are set smaller, then cut with an ellipsis. Raises NoPdf."""
    name = "escalations/brief_print.html"
    versions = [render_to_string(name, {**context, "size": size, "most": most}) for size, most in SIZES]
    return printer.pdf(versions, Path(str(finders.find("brief.css"))), sheets=1)
