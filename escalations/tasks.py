"""Background jobs of cases, run by the worker."""

from escalations.cases import files, mail_files
from escalations.cases.notifications.unopened import tell_operations


def follow_files() -> dict[str, int]:
    """Once a minute: scan held files again, and take attachments that were missed."""
    return {"scanned": files.scan_again(), "mails": mail_files.take_missed()}


def list_unopened() -> int:
    """Tell operations once a day which customers' messages nobody has opened."""
    return tell_operations()
