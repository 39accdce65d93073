"""The files of a case: who may see them, and where each belongs."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations.cases.models.access import may_see
from escalations.cases.models.escalation import CaseRequest, Escalation
from escalations.cases.models.event import Event
from escalations.cases.models.tracker import Action
from ledger.models import StoredFile, scan_holds
from messaging.models import InboundMail


class CaseFileQuerySet(models.QuerySet["CaseFile"]):
    """The queries of files."""

    def visible_to(self, user: User) -> "CaseFileQuerySet":
        """The files of cases that the person may see, and of the brief of a case for those who see one of its requests."""
        requests = ApprovalRequest.objects.visible_to(user).order_by().values("pk")
        asked = CaseRequest.objects.filter(request__in=requests).values("case")
        return self.filter(may_see(user, "case", few=True) | Q(place=CaseFile.BRIEF, case__in=asked))

    def downloadable(self) -> "CaseFileQuerySet":
        """Those that are kept and not held."""
        free = [scan for scan, _ in StoredFile.SCANS if not scan_holds(scan)]
        return self.filter(file__scan__in=free)

    def to_show(self) -> "CaseFileQuerySet":
        """With what a list shows, oldest first."""
        return self.select_related("file", "by").order_by("at", "pk")


class CaseFile(models.Model):
    """A file of a case. A file of a received mail that is not kept for download is named only, with the reason."""

    THREAD, BRIEF, PROOF, INTAKE, MAIL, SHARED = "thread", "brief", "proof", "intake", "mail", "shared"
    PLACES: ClassVar = [
        (THREAD, "Thread"),
        (BRIEF, "Brief"),
        (PROOF, "Proof of an action"),
        (INTAKE, "Intake"),
        (MAIL, "Received mail"),
        (SHARED, "Thread with an external party"),
    ]
    AUDIENCES: ClassVar = [(Event.INTERNAL, "Internal"), (Event.CUSTOMER, "Customer")]
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="files")
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(default=0)
    place = models.CharField(max_length=8, choices=PLACES, default=THREAD)
    audience = models.CharField(max_length=10, choices=AUDIENCES, default=Event.INTERNAL)
    event = models.ForeignKey(Event, null=True, on_delete=models.PROTECT, related_name="files")
    action = models.ForeignKey(Action, null=True, blank=True, on_delete=models.PROTECT, related_name="files")
    mail = models.ForeignKey(InboundMail, null=True, blank=True, on_delete=models.PROTECT, related_name="case_files")
    problem = models.CharField(max_length=300, blank=True, help_text="Why it is not kept for download.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    objects = CaseFileQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(file__isnull=False) | ~Q(problem=""), name="case_file_or_reason")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def why_not(self) -> str:
        """Why it cannot be downloaded now; empty if it can."""
        if self.file is None:
            return self.problem
        return f"Held. {HELD.get(self.file.scan, HELD[StoredFile.UNSCANNED])}" if self.file.is_held else ""


HELD = {
    StoredFile.INFECTED: "The virus scanner found something in it.",
    StoredFile.FAILED: "It could not be scanned for viruses yet.",
    StoredFile.UNSCANNED: "It waits to be scanned for viruses.",
    StoredFile.MISSING: "Its content is missing; operations can restore it from a backup.",
}
