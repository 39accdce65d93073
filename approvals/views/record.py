"""The decision log as a file: of one request, or of all requests of a case that this person may see."""

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from accounts.people import downloads
from accounts.signed_in import SignedIn
from approvals import exports as record
from approvals.models import ApprovalRequest
from approvals.pdf.printer import NoPdf
from ledger.parameters import known_in_file


@known_in_file()
@require_safe
def request_log(request: SignedIn, pk: int, kind: str) -> HttpResponse:
    """One request."""
    return _file(request, _visible(request).filter(pk=pk), f"request {pk}", f"decision-log-{pk}", kind)


@known_in_file()
@require_safe
def case_log(request: SignedIn, key: str, kind: str) -> HttpResponse:
    """All requests of a case, the oldest first; 404 if this person may see none of them."""
    return _file(request, _visible(request).filter(case_key=key), key, f"decision-log-{key}", kind)


def _visible(request: SignedIn) -> QuerySet[ApprovalRequest]:
    rows = ApprovalRequest.objects.visible_to(request.user).with_people().order_by("pk")
    return rows.prefetch_related("log__actor", "log__on_behalf_of")


def _file(request: SignedIn, rows: QuerySet[ApprovalRequest], title: str, name: str, kind: str) -> HttpResponse:
    approvals = list(rows)
    if not approvals:
        raise Http404("There is no decision here.")
    downloads.note(user=request.user, what=f"decision log {title} ({kind})")
    if kind == "csv":
        # The mark at the start makes spreadsheets read it as UTF-8.
        answer = HttpResponse(record.log_csv(approvals), content_type="text/csv; charset=utf-8")
    else:
        try:
            answer = HttpResponse(record.log_pdf(approvals, title), content_type="application/pdf")
        except NoPdf as reason:
            words = f"{reason} Use the CSV instead."
            return HttpResponse(words, status=503, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer
