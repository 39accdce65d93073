"""The frozen brief of a request as a PDF to go with its mail."""

from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from approvals.models import ApprovalRequest
from approvals.pdf.printer import printer
from approvals.requests.page import brief_parts

# Laying out very long texts takes minutes. The page has the full text.
LONGEST_PART, MOST_PARTS = 3_000, 20


def brief_pdf(request: ApprovalRequest) -> bytes:
    """The question, the recommendation, the options and the parts of the brief from the frozen request. Raises NoPdf."""
    parts = [
        (title, text[:LONGEST_PART], len(text) > LONGEST_PART) for title, text in brief_parts(request)[:MOST_PARTS]
    ]
    context = {"approval": request, "parts": parts, "number": request.brief.get("version")}
    html = render_to_string("approvals/brief_print.html", context)
    return printer.pdf(html, Path(str(finders.find("brief.css"))))


def file_name(request: ApprovalRequest) -> str:
    """`brief-ESC-1042-v3.pdf`."""
    number = request.brief.get("version")
    key = "".join(each for each in request.case_key if each.isalnum() or each == "-") or f"request-{request.pk}"
    return f"brief-{key}{f'-v{number}' if isinstance(number, int) else ''}.pdf"
