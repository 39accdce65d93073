"""Word to many people at once, for the engine: small rows, written in one go; mail is composed when it leaves.

The same rules as `outbox.post` and `notices.tell`, without a query for each row. Keys must be new: the caller has claimed
the step they belong to, so a repeated key is a fault and the whole transaction must fail.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from ledger import bulk
from messaging.models import Message, Notice
from messaging.rules.kinds import switchable
from messaging.services import preferences


@dataclass(frozen=True)
class MailDraft:
    """A mail to be composed from `source` when it leaves. `subject` stands on the Messages page until then."""

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
    wanted_while: str = ""


@dataclass(frozen=True)
class NoticeDraft:
    """In-app word to one person."""

    user_id: int
    key: str
    kind: str
    text: str
    url: str
    case_key: str
    urgent: bool = False


def post_many(drafts: Sequence[MailDraft], *, at: datetime) -> None:
    """Write mails in the caller's transaction; they leave after the commit."""
    if not drafts:
        return
    row, domain = bulk.row_class(Message), settings.MAIL_DOMAIN
    rows = [
        row(
            **{**draft.__dict__, "subject": draft.subject[:300], "account_name": draft.account_name[:200]},
            text="",
            message_id=f"<{os.urandom(16).hex()}@{domain}>",
            created_at=at,
            next_try_at=at,
        )
        for draft in drafts
    ]
    bulk.insert(Message, rows)


def tell_many(drafts: Sequence[NoticeDraft], *, at: datetime) -> None:
    """Write in-app notices in the caller's transaction, but none that its person has switched off."""
    drafts = _wanted(drafts)
    if not drafts:
        return
    row = bulk.row_class(Notice)
    bulk.insert(Notice, [row(**{**draft.__dict__, "text": draft.text[:300]}, at=at) for draft in drafts])


def _wanted(drafts: Sequence[NoticeDraft]) -> Sequence[NoticeDraft]:
    """One query for all; none for kinds that are always shown."""
    groups = {draft.kind: group.slug for draft in drafts if (group := switchable(draft.kind))}
    if not groups:
        return drafts
    chosen = preferences.chosen_by_group({draft.user_id for draft in drafts if draft.kind in groups})
    silent = {whose for whose, choice in chosen.items() if not choice.in_app}
    return [draft for draft in drafts if (draft.user_id, groups.get(draft.kind, "")) not in silent]
