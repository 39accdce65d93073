"""`manage.py verify_log`: check every append-only log."""

from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import ForeignKey

from ledger import chain
from ledger.management import anchors
from ledger.models import ChainedRow, ChainParent
from ledger.now import now
from ledger.triggers import missing

BATCH = 500


class Command(BaseCommand):
    help = "Verify every append-only log: each chain, the erasable texts, the triggers, and the daily anchors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchors", type=Path, default=Path(settings.VAR_DIR) / "anchors", help="folder of the daily anchors"
        )
        parser.add_argument("--no-anchors", action="store_true", help="neither compare nor write anchors")

    def handle(self, *args: object, no_anchors: bool, **options: object) -> None:
        models, folder = chain.chained_models(apps.get_models()), Path(str(options["anchors"]))
        found = [f"trigger {name} is missing" for name in missing()]
        entries = logs = 0
        for model in models:
            for count, wrong in walk(model):
                entries, logs = entries + count, logs + 1
                found += wrong
        if not no_anchors:
            try:
                found += self._anchors(models, folder, whole=not found)
            except OSError as error:
                raise CommandError(f"Cannot use {folder} for anchors: {error.strerror}.") from error
        for each in found:
            self.stderr.write(each)
        if found:
            raise CommandError(f"{len(found)} breaks in {entries} entries of {logs} logs")
        self.stdout.write(f"{entries} entries in {logs} logs verified")

    def _anchors(self, models: list[type[ChainedRow]], folder: Path, *, whole: bool) -> list[str]:
        """Compare with the stored anchors, and store today's unless something is wrong."""
        at = now()
        try:
            kept = anchors.load(folder)
        except ValueError as error:
            return [str(error)]
        results = [anchors.check(model, kept, at) for model in models]
        wrong = [each for found, _ in results for each in found]
        if whole and not wrong:
            anchors.save(folder, at.date().isoformat(), [anchor for _, anchor in results])
        return wrong


def parent_field(model: type[ChainedRow]) -> ForeignKey:
    """The key to the owner of the chain."""
    for field in model._meta.get_fields():
        if isinstance(field, ForeignKey) and issubclass(field.related_model, ChainParent):
            return field
    raise LookupError(f"{model._meta.label} has no parent that seals its chain")


def walk(model: type[ChainedRow]) -> Iterator[tuple[int, list[str]]]:
    """The number of entries and the faults of every log of a model, read 500 logs at a time."""
    field = parent_field(model)
    owner = cast("type[ChainParent]", field.related_model)
    last = 0
    while batch := list(owner._default_manager.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        entries = _entries(model, field, [parent.pk for parent in batch])
        for parent in batch:
            own = entries.get(parent.pk, [])
            yield len(own), list(_wrong(model, parent, own))


def _entries(model: type[ChainedRow], field: ForeignKey, parents: list[int]) -> dict[int, list[ChainedRow]]:
    # `Any`, because only the concrete models have a parent and texts.
    rows: Any = model._default_manager.filter(**{f"{field.name}__in": parents}).order_by(field.name, "seq")
    if _has_text(model):
        rows = rows.select_related("text")
    found: dict[int, list[ChainedRow]] = defaultdict(list)
    for entry in rows:
        found[getattr(entry, field.attname)].append(entry)
    return found


def _has_text(model: type[ChainedRow]) -> bool:
    names = {field.name for field in model._meta.get_fields()}
    return {"text", "text_hash"} <= names


def _wrong(model: type[ChainedRow], parent: ChainParent, entries: list[ChainedRow]) -> Iterator[str]:
    name = f"{parent._meta.verbose_name} {parent.pk}"
    for each in chain.breaks_in(parent, entries):
        yield f"{name}, entry {each.seq}: {each.what}"
    if _has_text(model):
        yield from (f"{name}, entry {entry.seq}: the text was changed" for entry in entries if _text_changed(entry))


def _text_changed(entry: Any) -> bool:
    """Erased text is allowed; other text must equal the text that the log signed."""
    text = entry.text
    if text is None or text.erased_at is not None:
        return False
    try:
        return bool(chain.sign("text\x00" + text.body, entry.key_id) != entry.text_hash)
    except KeyError:
        return False  # an unknown key is reported by the chain itself
