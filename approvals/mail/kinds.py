"""Kinds of approval mail: when one is no longer wanted, and what is attached to it."""

import logging

from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from approvals.pdf.brief import brief_pdf, file_name
from approvals.pdf.printer import NoPdf
from messaging.kinds import Attachments, File, MessageKind
from messaging.models import Message

log = logging.getLogger(__name__)
# One replaces the other when the mail is sent, once it is known whether the brief could be printed.
WITH_BRIEF = "The brief is attached as a PDF."
WITHOUT_BRIEF = "The brief is not attached; the page has it."


class ApprovalAsked(MessageKind):
    """The question to one seat: `approval:REQUEST:SEAT`."""

    prefix = "approval"

    def still_wanted(self, message: Message) -> bool:
        """While the request is open and that seat has not answered."""
        request, seat = self.parts(message)
        seats = ApprovalStep.objects.filter(request=int(request), order=int(seat), state=ApprovalStep.WAITING)
        return seats.filter(request__state=ApprovalRequest.OPEN).exists()

    def attachments(self, message: Message, *, leaves: bool) -> Attachments:
        """The frozen brief as a PDF, where there is one. Without it, the mail says that the page has it."""
        request = ApprovalRequest.objects.select_related("account", "requester").get(pk=int(self.parts(message)[0]))
        if not request.brief:
            return Attachments()
        unattached = Attachments(replacements={WITH_BRIEF: WITHOUT_BRIEF})
        if not leaves:
            return unattached
        try:
            data = brief_pdf(request)
        except NoPdf as trouble:
            log.warning("The brief of request %s is not attached: %s", request.pk, trouble)
            return unattached
        except Exception:  # a brief that breaks the template must not hold the question back
            log.exception("The brief of request %s is not attached", request.pk)
            return unattached
        file = File(file_name(request), "application/pdf", data)
        return Attachments(files=[file], replacements={WITHOUT_BRIEF: WITH_BRIEF})


class ApprovalDecided(MessageKind):
    """The outcome: `approval-decided:REQUEST:SEQ`, with the number of the log entry."""

    prefix = "approval-decided"

    def still_wanted(self, message: Message) -> bool:
        """Unless the decision was undone since."""
        request, seq = self.parts(message)
        undone = DecisionEntry.objects.filter(request_id=int(request), seq__gt=int(seq), kind=DecisionEntry.UNDONE)
        return not undone.exists()
