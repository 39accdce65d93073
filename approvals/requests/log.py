"""The only writer of the decision log: it chains each entry and sends the event."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from approvals.events import log_appended
from approvals.models import ApprovalRequest, DecisionEntry
from ledger import chain


def write(
    request: ApprovalRequest, kind: str, at: datetime, *, changed: Collection[str] = (), **values: Any
) -> DecisionEntry:
    """Append one entry and send log_appended, inside the caller's transaction; the caller holds the request's row lock.

    Fields of the request named in `changed` are saved with it.
    """
    entry = DecisionEntry(
        request=request,
        kind=kind,
        at=at,
        **{"rule_version": request.authority.number, "terms_hash": request.terms_hash, **values},
    )
    chain.append(request, [entry], changed=changed)
    log_appended.send(sender=DecisionEntry, entry=entry)
    return entry
