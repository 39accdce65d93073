"""Returned mail: finds our message that came back, and lets its kind answer."""

import re

from django.conf import settings

from ledger import files
from messaging import kinds
from messaging.models import InboundMail, Message

BOUNCE = "bounce"
# The report and the header of the returned mail come first; what follows is the returned mail itself.
LOOKED_AT = 256 * 1024
MOST_IDS = 20
ACTION = re.compile(rb"^Action:\s*(\w+)", re.IGNORECASE | re.MULTILINE)


def take(*, mail: InboundMail) -> None:
    """Tell the kind of our message that it came back. A notice that it is only late tells nothing, nor does a notice that
    names none of our messages."""
    if mail.automatic != BOUNCE or mail.raw is None:
        return
    data = files.read(mail.raw)[:LOOKED_AT]
    actions = {found.lower() for found in ACTION.findall(data)}
    if actions and b"failed" not in actions:
        return
    ours = re.compile(rb"<[0-9a-f]{32}@" + re.escape(settings.MAIL_DOMAIN.encode()) + rb">")
    ids = {found.decode() for found in ours.findall(data)} | {mail.in_reply_to}
    for message in Message.objects.filter(message_id__in=sorted(ids)[:MOST_IDS], state=Message.SENT).order_by("pk"):
        kinds.kind_of(message).bounced(message, key=f"bounce:{mail.pk}", how="The mail came back.")
