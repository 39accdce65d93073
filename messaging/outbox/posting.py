"""Word to many people at once, for the engine: small rows, written in one go; mail is composed when it leaves.

The same rules as `outbox.post` and `notices.tell`, without a query for each row. Word in the desk is a delivery of the same
row, so a step writes one row however its people are told. Keys must be new: the caller has claimed
the step they belong to, so a repeated key is a fault and the whole transaction must fail.
"""

import os
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from ledger import bulk
from messaging.models import Message, Notice
from messaging.outbox import preferences
from messaging.outbox.rules.kinds import switchable


class MailDraft(NamedTuple):
    """A mail to be composed from `source` when it leaves. `subject` stands on the Messages page until then, and in the desk,
    where `tell_waiting` says it with a link to `notice_url`. The texts must fit their columns."""

    key: str
    kind: str
    user_id: int
    address: str
    subject: str
    source: str
    case_key: str
    account_name: str
    thread_id: str
    reply_to: str = ""
    notice_url: str = ""


class NoticeDraft(NamedTuple):
    """In-app word to one person."""

    user_id: int
    key: str
    kind: str
    text: str
    url: str
    case_key: str
    at: datetime
    urgent: bool = False


def post_many(drafts: Sequence[MailDraft], *, at: datetime) -> None:
    """Write mails in the caller's transaction; they leave after the commit."""
    if not drafts:
        return
    mould = bulk.Mould(Message, (*MailDraft._fields, "message_id"), text="", created_at=at, next_try_at=at)
    # Beginning with the time, so that the index on Message-IDs grows at one end.
    stamp, domain = f"{time.time_ns():x}", settings.MAIL_DOMAIN
    mould.insert([mould.row((*draft, f"<{stamp}.{os.urandom(10).hex()}@{domain}>")) for draft in drafts])


def tell_waiting(*, limit: int = 1000) -> int:
    """Say in the desk what was posted with a `notice_url`, oldest first; returns how many. Whatever becomes of the mail: a
    server that is down delays no notice. Each is told once, however many senders look."""
    waiting = Message.objects.untold().order_by("id")
    if not waiting.exists():
        return 0
    names = ("user_id", "key", "kind", "subject", "notice_url", "case_key", "created_at")
    with transaction.atomic():
        rows = list(waiting.select_for_update(skip_locked=True).values_list("id", *names)[:limit])
        _tell([_notice(*values) for _, *values in rows])
        bulk.among(Message.objects.all(), "id", [pk for pk, *_ in rows]).update(notice_url="")
    return len(rows)


def _notice(user_id: Any, key: str, kind: str, text: str, url: str, case_key: str, at: datetime) -> NoticeDraft:
    """Whatever the engine has to say is urgent."""
    return NoticeDraft(user_id, key, kind, text, url, case_key, at, urgent=True)


def _tell(drafts: Sequence[NoticeDraft]) -> None:
    """Notices, but none that its person has switched off."""
    mould = bulk.Mould(Notice, NoticeDraft._fields)
    mould.insert([mould.row(draft) for draft in _wanted(drafts)])


def _wanted(drafts: Sequence[NoticeDraft]) -> Sequence[NoticeDraft]:
    """One query for all; none for kinds that are always shown."""
    groups = {draft.kind: group.slug for draft in drafts if (group := switchable(draft.kind))}
    if not groups:
        return drafts
    chosen = preferences.chosen_by_group({draft.user_id for draft in drafts if draft.kind in groups})
    silent = {whose for whose, choice in chosen.items() if not choice.in_app}
    return [draft for draft in drafts if (draft.user_id, groups.get(draft.kind, "")) not in silent]
