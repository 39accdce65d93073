"""Background jobs of cases, run by the worker."""

from escalations.cases import files, mail_files
from escalations.cases.notifications.unopened import tell_operations


def scan_files() -> int:
    """Once a minute: scan held files again. Returns how many changed."""
    return files.scan_again()


def take_attachments() -> int:
    """Once a minute: take attachments of mail that were missed. Returns how many mails were looked at."""
    return mail_files.take_missed()


def list_unopened() -> int:
    """Tell operations once a day which customers' messages nobody has opened."""
    return tell_operations()
