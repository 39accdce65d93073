"""The files of a case on the page of its request."""

from collections.abc import Mapping

from accounts.models import User
from approvals.models import ApprovalRequest
from approvals.requests.panels import RequestPanel
from escalations.models import CaseFile

SHOWN = 20


class Files(RequestPanel):
    """The files that this person may see: those of the brief first, then the newest others. Not shown without a file."""

    title = "Files"
    template = "escalations/panels/request_files.html"

    def read(self, request: ApprovalRequest, user: User) -> Mapping[str, object] | None:
        """At most twenty files."""
        seen = CaseFile.objects.filter(case__case_requests__request=request).visible_to(user)
        newest = list(seen.select_related("file", "by").order_by("-at", "-pk")[: SHOWN + 1])
        rows = sorted(newest[:SHOWN], key=lambda each: each.place != CaseFile.BRIEF)
        return {"files": rows, "more": len(newest) > SHOWN} if rows else None
