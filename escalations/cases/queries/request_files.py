"""The files of a case on the page of its request."""

from collections.abc import Mapping

from django.db.models import Case, When

from accounts.models import User
from approvals.models import ApprovalRequest
from approvals.requests.panels import RequestPanel
from escalations.models import CaseFile

SHOWN = 20


class Files(RequestPanel):
    """The files that this person may see: those of the frozen brief first, then the newest others, with a word on those that
    came after the question. Not shown without a file."""

    title = "Files"
    template = "escalations/panels/request_files.html"

    def read(self, request: ApprovalRequest, user: User) -> Mapping[str, object] | None:
        """At most twenty files."""
        seen = CaseFile.objects.filter(case__case_requests__request=request).visible_to(user)
        frozen = [each["id"] for each in request.brief.get("files", ()) if "id" in each]
        place = Case(When(pk__in=frozen, then=0), When(place=CaseFile.BRIEF, then=1), default=2)
        rows = list(seen.select_related("file", "by").order_by(place, "-at", "-pk")[: SHOWN + 1])
        later = {each.pk for each in rows if each.at > request.opened_at and each.pk not in frozen}
        return {"files": rows[:SHOWN], "later": later, "more": len(rows) > SHOWN} if rows else None
