"""Notifications about files that are held, and released again."""

from collections.abc import Sequence

from accounts.models import Role, User
from escalations.cases.notifications.common import notice, people_of
from escalations.models import CaseFile, CasePerson, Escalation
from ledger.format import listed


def files_held(case: Escalation, rows: Sequence[CaseFile], by: User | None) -> None:
    """Notify whoever brought the files, or for those of a received mail or an external party the owner and the communication
    lead; and operations."""
    people = [by] if by and not by.is_external else people_of(case, CasePerson.OWNER, CasePerson.COMMUNICATION)
    text = f"{case.key}: {_names(rows)} cannot be downloaded. {rows[0].why_not}"
    key = f"file-held:{rows[0].pk}:{rows[0].file.scan if rows[0].file else ''}"
    notice(case, people, key=key, kind="file", text=text, urgent=True)
    # Operations see the name of the file only on cases that they may see.
    note = rows[0].file.scan_note if rows[0].file else ""
    words = f"{case.key}: a file is held. {note or rows[0].why_not}"
    notice(case, _operations(), key=f"{key}:operations", kind="operations", text=words, urgent=True)


def files_released(case: Escalation, rows: Sequence[CaseFile]) -> None:
    """Notify those who were told that the files were held."""
    people = [row.by for row in rows if row.by and not row.by.is_external] or people_of(
        case, CasePerson.OWNER, CasePerson.COMMUNICATION
    )
    text = f"{case.key}: {_names(rows)} was scanned and can be downloaded"
    key = f"file-released:{rows[0].pk}:{rows[0].file.scanned_at if rows[0].file else ''}"
    notice(case, people, key=key, kind="file", text=text)


def _operations() -> list[User]:
    return list(User.objects.holding(Role.objects.filter(operations=True).values_list("slug", flat=True)))


def _names(rows: Sequence[CaseFile]) -> str:
    return listed(sorted({f"“{row.name}”" for row in rows}))
