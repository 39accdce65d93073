"""Records who downloaded which document."""

from accounts.models import User
from ledger.models import DownloadLog
from ledger.now import now


def note(*, user: User, what: str) -> DownloadLog:
    """Log a download before it is sent."""
    return DownloadLog.objects.create(user=user, what=what[:200], at=now())
