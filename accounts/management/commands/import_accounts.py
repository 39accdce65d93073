"""Imports accounts, subscriptions or contacts from a CSV file."""

import sys
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.exports import problems_csv
from accounts.imports import runs as imports
from accounts.imports.rules import ENCODINGS
from accounts.models import ImportMapping, ImportRun
from ledger.errors import Refused
from ledger.format import number

SHOWN = 50
MARKS = {"point": ".", "comma": ","}


class Options(TypedDict):
    """The options of the command line."""

    file: str
    kind: str | None
    source: str
    encoding: str
    dates: str
    decimals: str | None
    pairs: list[str]
    mapping: str | None
    save_mapping: str | None
    currency: str
    errors: str | None


class Command(BaseCommand):
    """Stages the file, matches its columns, applies it and lists the rows that were not imported."""

    help = (
        "Imports accounts, subscriptions or contacts from a CSV file. Known ids are updated, new ones created; rows with "
        "problems are skipped and listed with how to fix them. Exits with an error only when no row could be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and options for reading it if the guess is wrong."""
        parser.add_argument("file", metavar="FILE", help="A CSV file of at most 10 MB with a header line.")
        parser.add_argument("--kind", choices=list(imports.REQUIRED), help="What the file lists (default: detected).")
        parser.add_argument("--source", default="", help="The system the ids come from, such as crm. Always needed.")
        parser.add_argument("--encoding", choices=list(ENCODINGS), default="", help="How the letters are written.")
        parser.add_argument("--dates", choices=("dmy", "mdy"), default="", help="Day or month first, if nothing tells.")
        parser.add_argument("--decimals", choices=list(MARKS), help="The mark before decimals, if nothing tells.")
        parser.add_argument("--map", nargs="+", action="extend", metavar="FIELD=HEADER", default=[], dest="pairs")
        parser.add_argument("--mapping", metavar="NAME", help="Use a saved mapping.")
        parser.add_argument("--save-mapping", metavar="NAME", help="Remember the columns under this name.")
        parser.add_argument("--currency", default="", help="Currency of files without such a column, such as EUR.")
        parser.add_argument("--errors", metavar="FILE", help="Write the rows that were not imported to this CSV file.")

    def handle(self, *args: object, **options: Unpack[Options]) -> None:
        """Run the import; every error is one line."""
        try:
            run = self._staged(options)
            self._settle_currency(run)
            self._settle_reading(run, options)
            run = imports.apply(run=run, on_progress=self._show_progress)
        except Refused as refusal:
            raise CommandError(refusal.message)
        self._report(run, options["errors"])

    def _staged(self, options: Options) -> ImportRun:
        data = _bytes_of(options["file"])
        saved = _mapping(options["mapping"], options["kind"])
        run = imports.stage(
            data=data,
            filename=Path(options["file"]).name,
            kind=options["kind"] or (saved.kind if saved else None),
            columns=saved.columns if saved else None,
            default_currency=options["currency"].upper() or (saved.default_currency if saved else ""),
            source=options["source"] or _asked("The system the ids come from: ", "--source, such as --source crm"),
        )
        choices = imports.Choices(options["encoding"], options["dates"], MARKS.get(options["decimals"] or "", ""))
        run = imports.configure(run=run, columns=run.columns, default_currency=run.default_currency, choices=choices)
        if options["pairs"]:
            columns = {**run.columns, **dict(_pair(text) for text in options["pairs"])}
            run = imports.configure(run=run, columns=columns, default_currency=run.default_currency)
        if options["save_mapping"]:
            imports.save_mapping(run=run, name=options["save_mapping"])
        return run

    def _settle_currency(self, run: ImportRun) -> None:
        if not imports.needs_currency(run):
            return
        currency = ""
        if sys.stdin.isatty():
            currency = input("The file has no currency column. Its amounts are in [USD]: ").strip().upper()
        else:
            self.stderr.write("The file has no currency column: using USD. Use --currency for another one.")
        imports.configure(run=run, columns=run.columns, default_currency=currency or "USD")

    def _settle_reading(self, run: ImportRun, options: Options) -> None:
        """Ask what the file does not tell, before anything is written."""
        if not options["encoding"] and (names := imports.preview(run)):
            shown = f"Read as {run.encoding}, the file has: {', '.join(names)}."
            known = f"--encoding {run.encoding} if these names are right, else another one"
            if _asked(f"{shown} Is this right? [y/n] ", f"{known}. {shown}").lower()[:1] != "y":
                raise CommandError("Nothing is written. Use --encoding, or save the file as CSV (UTF-8).")
        dates, decimals = run.dates, run.decimals
        date, amount = imports.open_questions(run)
        if date:
            dates = _asked(f"“{date}”: day first (dmy) or month first (mdy)? ", f"--dates dmy or mdy for “{date}”")
        if amount:
            mark = _asked(f"“{amount}”: decimal point or comma? ", f"--decimals point or comma for “{amount}”")
            decimals = MARKS.get(mark, mark)
        if (dates, decimals) != (run.dates, run.decimals):
            choices = imports.Choices("", dates, decimals)
            imports.configure(run=run, columns=run.columns, default_currency=run.default_currency, choices=choices)

    def _show_progress(self, done: int, total: int) -> None:
        if total > 1000 and (done % 1000 == 0 or done == total):
            self.stderr.write(f"{number(done)} of {number(total)} rows")

    def _report(self, run: ImportRun, errors: str | None) -> None:
        problems = list(run.problems.all()[: SHOWN + 1])
        for problem in problems[:SHOWN]:
            place = f", {problem.column} {problem.value!r}" if problem.column else ""
            self.stdout.write(f"row {problem.row}{place}: {problem.reason}")
        bad = run.problems.values("row").distinct().count()
        if len(problems) > SHOWN:
            self.stdout.write("More rows have problems: write them all to a file with --errors FILE.csv.")
        if errors:
            _write(errors, problems_csv(run))
        self.stdout.write(
            f"{run.kind}: {run.created} created, {run.updated} updated, {run.unchanged} unchanged, "
            f"{bad} {'row' if bad == 1 else 'rows'} with problems"
        )
        if bad and not run.created + run.updated + run.unchanged:
            raise CommandError("No row could be read.")


def _asked(question: str, option: str) -> str:
    """The answer of a person at a terminal; others have to give the option."""
    if not sys.stdin.isatty():
        raise CommandError(f"Nothing is written. Add {option.removesuffix('.')}.")
    return input(question).strip()


def _bytes_of(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(imports.LARGEST_FILE + 1)
    except OSError as error:
        raise CommandError(f"Cannot read {name}: {error.strerror}.")


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"The rows are imported, but {name} cannot be written: {error.strerror}.")


def _mapping(name: str | None, kind: str | None) -> ImportMapping | None:
    if not name:
        return None
    found = ImportMapping.objects.filter(name=name, **({"kind": kind} if kind else {})).order_by("-saved_at").first()
    if found is None:
        known = ", ".join(ImportMapping.objects.values_list("name", flat=True)) or "none is saved yet"
        raise CommandError(f"There is no mapping {name!r}. Known: {known}.")
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, header = text.partition("=")
    if not (name and equals and header):
        raise CommandError(f"Write --map as FIELD=HEADER, not {text!r}.")
    return name.strip(), header.strip()
