"""Background jobs of cases, run by the worker."""

from escalations.cases import files, mail_files


def follow_files() -> dict[str, int]:
    """Once a minute: scan held files again, and take attachments that were missed."""
    return {"scanned": files.scan_again(), "mails": mail_files.take_missed()}
