"""What goes with approval mail. Called when the mail leaves, outside any transaction; the mail does not wait for it."""

import logging

from approvals.mail.messages import WITH_BRIEF, WITHOUT_BRIEF
from approvals.models import ApprovalRequest
from approvals.pdf.brief import brief_pdf, file_name
from approvals.pdf.printer import NoPdf
from messaging.outbox.composing import Enclosed, File

log = logging.getLogger(__name__)


def brief(rest: str, leaves: bool) -> Enclosed:
    """`<request>`: its frozen brief as a PDF; without one, the mail says that the page has it."""
    if not leaves:
        return Enclosed(words={WITH_BRIEF: WITHOUT_BRIEF})
    request = ApprovalRequest.objects.select_related("account", "requester").get(pk=int(rest))
    try:
        data = brief_pdf(request)
    except NoPdf as trouble:
        log.warning("The brief of request %s goes unattached: %s", rest, trouble)
        return Enclosed(words={WITH_BRIEF: WITHOUT_BRIEF})
    except Exception:  # a brief that breaks the template must not hold the question back
        log.exception("The brief of request %s goes unattached", rest)
        return Enclosed(words={WITH_BRIEF: WITHOUT_BRIEF})
    return Enclosed(files=[File(file_name(request), "application/pdf", data)], words={WITHOUT_BRIEF: WITH_BRIEF})
