"""The download of a file of a case, and of an attachment of a mail that is on no case."""

from io import BytesIO

from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.people import downloads
from accounts.signed_in import SignedIn
from escalations.cases import mail_files
from escalations.cases.queries.mails import may_read
from escalations.models import CaseFile
from ledger.errors import Stale
from ledger.files import path_of
from messaging.models import InboundMail


@require_safe
def download(request: SignedIn, pk: int) -> FileResponse:
    """A file as a download, never shown in the browser. 404 for a file of a case that this person may not see, now."""
    found = get_object_or_404(CaseFile.objects.visible_to(request.user).select_related("file", "case"), pk=pk)
    return file_answer(found, request.user, noted=request.method == "GET")


def file_answer(found: CaseFile, user: User, *, noted: bool = True) -> FileResponse:
    """The download of a file that this person may see. `noted`: it is written into the log of downloads. Raises Stale for one
    that is held or missing."""
    if found.why_not or found.file is None:
        raise Stale(f"“{found.name}” cannot be downloaded. {found.why_not}")
    try:
        content = path_of(found.file.sha256).open("rb")
    except FileNotFoundError:
        raise Stale(f"“{found.name}” is missing on the server. Tell operations; nothing else is lost.")
    if noted:
        downloads.note(user=user, what=f"{found.case.key}: {found.name}")
    return _as_download(
        FileResponse(content, as_attachment=True, filename=found.name, content_type=found.file.content_type)
    )


@require_safe
def mail_attachment(request: SignedIn, pk: int, number: int) -> FileResponse:
    """An attachment of a received mail, for those who may read the mail; 404 for others. It is taken out of the mail, checked
    and scanned now, as it is when a case takes it."""
    mail = get_object_or_404(InboundMail.objects.select_related("raw"), pk=pk)
    if not may_read(mail, request.user):
        raise Http404("There is no such mail.")
    named = get_object_or_404(mail.attachments, number=number)
    name, content_type, content = mail_files.content_of(mail, named)
    if request.method == "GET":
        downloads.note(user=request.user, what=f"Mail {mail.pk}: {name}")
    return _as_download(FileResponse(BytesIO(content), as_attachment=True, filename=name, content_type=content_type))


def _as_download(answer: FileResponse) -> FileResponse:
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "private, no-store"
    return answer
