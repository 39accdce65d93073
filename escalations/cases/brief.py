"""The brief: parts that people write, facts from the case, and snapshots frozen at each hand-off and request."""

from datetime import datetime
from typing import TypedDict

from django.db import transaction
from django.db.models import Max, Value

from accounts.models import User
from approvals.requests.rules.verdicts import Option
from escalations.cases.access import check
from escalations.cases.briefs import current_parts, first_parts
from escalations.cases.log import Entry, lock, record
from escalations.cases.rules.brief import BriefFile, BriefParts
from escalations.cases.thread import first_act
from escalations.models import BriefPart, BriefSnapshot, CaseFile, Escalation
from ledger.errors import Invalid, Stale
from ledger.now import now

PARTS = dict(BriefPart.PARTS)


class OptionRows(TypedDict, total=False):
    """The structured part of a brief."""

    rows: list[Option]


@transaction.atomic
def save_parts(
    *, case_id: int, by: User, texts: dict[str, str], options: list[Option] | None, versions: dict[str, int]
) -> list[str]:
    """Write the parts that changed; returns their names. `versions`: part → version the author saw (0 for none); a part
    without a version is always written. Raises Stale with the name of the part if another person wrote it meanwhile,
    and Invalid for an unknown part. Either all parts are written or none.
    """
    at, case = now(), lock(case_id)
    check(case, by, "brief")
    changed = [part for part, text in texts.items() if _write(case, part, text, {}, by, at, versions.get(part))]
    if options is not None and _write(case, "options", "", {"rows": options}, by, at, versions.get("options")):
        changed.append("options")
    if changed:
        names = ", ".join(PARTS[part] for part in changed)
        record(case, [Entry(kind="brief", summary=f"Brief changed: {names}", actor=by, data={"parts": changed})], at=at)
        first_act(case, by, at)
    return changed


def _write(case: Escalation, part: str, text: str, data: OptionRows, by: User, at: datetime, seen: int | None) -> bool:
    if part not in PARTS:
        raise Invalid(f"The brief has no part “{part}”.", field=part)
    row = case.brief_parts.filter(part=part).first()
    if row is None:
        if text.strip() or data.get("rows"):
            BriefPart.objects.create(case=case, part=part, text=text, data=data, by=by, at=at)
            return True
        return False
    if (row.text, row.data) == (text, data):
        return False
    if seen is not None and row.version != seen:
        raise Stale(f"{row.by} changed “{PARTS[part]}” while you typed. Compare both texts and save again.", field=part)
    row.text, row.data, row.by, row.at, row.version = text, data, by, at, row.version + 1
    row.save()
    return True


def prefill(case: Escalation, at: datetime) -> None:
    """Save the first texts of a new brief."""
    BriefPart.objects.bulk_create(first_parts(case, at))


def freeze(case: Escalation, *, reason: str, at: datetime, parts: BriefParts | None = None) -> BriefSnapshot:
    """Freeze the current brief under the next number, with the files that belong to it. `parts` are its parts, if the caller
    has read them."""
    last, files = (0, []) if case.is_new else _last_and_files(case)
    frozen: BriefParts = {**(parts or current_parts(case, at)), "files": files}
    return BriefSnapshot.objects.create(case=case, number=last + 1, parts=frozen, reason=reason[:120], at=at)


def _last_and_files(case: Escalation) -> tuple[int, list[BriefFile]]:
    """The number of the last snapshot, and the files of the brief at present, in one query. The rows and contents of files
    never change, so they are named and not copied."""
    snapshots = case.brief_snapshots.order_by().values("case").annotate(last=Max("number"))
    files = case.files.filter(place=CaseFile.BRIEF).order_by().values_list("pk", "name", "size", "file__sha256")
    found = files.union(snapshots.values_list(Value(0), Value(""), "last", Value("")), all=True)
    rows = {pk: (name, size, sha256 or "") for pk, name, size, sha256 in found}
    # The row without a file is that of the snapshots.
    _, last, _ = rows.pop(0, ("", 0, ""))
    return last, [
        {"id": pk, "name": name, "size": size, "sha256": sha256} for pk, (name, size, sha256) in sorted(rows.items())
    ]
