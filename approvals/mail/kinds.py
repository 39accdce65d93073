"""Kinds of approval mail: when one is no longer wanted, and its attachments."""

import logging

from approvals.models import ApprovalRequest, DecisionEntry, Seat
from approvals.pdf.brief import brief_pdf, file_name
from approvals.pdf.printer import NoPdf
from messaging.kinds import Attachments, File, MessageKind
from messaging.models import Message

log = logging.getLogger(__name__)
# The second replaces the first when the mail is sent and the brief could not be printed.
WITH_BRIEF = "The brief is attached as a PDF."
WITHOUT_BRIEF = "The brief is not attached; the page has it."


class ApprovalAsked(MessageKind):
    """The question to one seat: `approval:REQUEST:SEAT`."""

    prefix = "approval"

    def still_wanted(self, message: Message) -> bool:
        """While the request is open and that seat has not answered."""
        request, seat = self.parts(message)
        seats = Seat.objects.asked().filter(request=int(request), number=int(seat))
        return seats.filter(request__state=ApprovalRequest.OPEN).exists()

    def attachments(self, message: Message, *, leaves: bool) -> Attachments:
        """The frozen brief as a PDF, if there is one. Without it, the mail says that the brief is on the page."""
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
        except Exception:  # a brief that breaks the template must not hold back the question
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
