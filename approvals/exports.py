"""The decision log of one case, or of one request, as CSV and as a printed record."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.exports import csv_text
from approvals.models import ApprovalRequest, DecisionEntry
from approvals.pdf.printer import printer
from approvals.requests.page import amount
from ledger import chain
from ledger.format import in_table

HEADER = (
    *("request", "ask", "concession", "amount", "currency", "entry", "at (UTC)", "what", "who", "on behalf of", "role"),
    *("limit", "rule version", "seat", "channel", "override", "rationale", "conditions", "options weighed", "more"),
    *("terms hash", "fingerprint", "key id"),
)


def log_csv(requests: Iterable[ApprovalRequest]) -> str:
    """One line for each entry, in the order of the requests, times in UTC."""
    return csv_text(HEADER, (row for request in requests for row in _rows(request)))


def _rows(request: ApprovalRequest) -> Iterator[tuple[object, ...]]:
    about = (request.pk, request.ask, request.concession_name, request.amount, request.currency)
    for entry in request.log.all():
        who = (str(entry.actor or "rule or clock"), str(entry.on_behalf_of or ""))
        right = (entry.role, entry.limit, entry.rule_version, entry.seat or "", entry.get_channel_display())
        said = ("yes" if entry.override else "", entry.rationale, entry.conditions, _options(entry), _more(entry))
        proof = (entry.terms_hash, entry.digest, entry.key_id)
        what = (entry.seq, in_table(entry.at), entry.get_kind_display())
        yield (*about, *what, *who, *right, *said, *proof)


def _options(entry: DecisionEntry) -> str:
    marks = (("recommended", "recommended"), ("status_quo", "status quo"))
    return "; ".join(
        " ".join([str(each.get("name", "")), *(f"({word})" for key, word in marks if each.get(key))])
        for each in entry.options
    )


def _more(entry: DecisionEntry) -> str:
    return "; ".join(
        f"{key.replace('_', ' ')}: {value}" for key, value in entry.facts.items() if value not in ("", None)
    )


def log_pdf(requests: Iterable[ApprovalRequest], title: str) -> bytes:
    """The same as a PDF to read and sign, with the check of each log's chain. Raises NoPdf."""
    shown = [
        {
            "request": request,
            "amount": amount(request),
            "entries": [(entry, _options(entry), _more(entry)) for entry in request.log.all()],
            "breaks": [each.what for each in chain.breaks_in(request, request.log.all())],
        }
        for request in requests
    ]
    with timezone.override(UTC):
        html = render_to_string("approvals/record_print.html", {"shown": shown, "title": title})
    return printer.pdf(html, Path(str(finders.find("brief.css"))))
