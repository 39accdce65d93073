"""The download of a file of a case."""

from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.people import downloads
from accounts.signed_in import SignedIn
from escalations.models import CaseFile
from ledger.errors import Stale
from ledger.files import path_of


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
    answer = FileResponse(content, as_attachment=True, filename=found.name, content_type=found.file.content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "private, no-store"
    return answer
