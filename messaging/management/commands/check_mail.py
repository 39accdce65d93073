"""`manage.py check_mail DIR`: measure how well the mail rules read a folder of labelled mails."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from messaging.inbound.parsing.measure import BadFolder, decisions_taken, measure_automatic, measure_replies
from messaging.inbound.parsing.measure_lines import FILE_NAME, measure_lines


class Command(BaseCommand):
    help = (
        "Measures reply reading and robot detection over a folder with replies.jsonl, auto_index.jsonl, auto/ and"
        " malformed/. Prints three lines: replies exact, automatic mails found and human mails lost, decisions taken. A"
        " fourth line, if the folder has further_mails.txt with a label on each line: mails of which own words are lost,"
        " and mails of which a quotation is shown."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="folder of labelled mails")
        parser.add_argument(
            "--authserv-id",
            default="",
            help="name of our mail server in Authentication-Results (none: no mail is proven)",
        )
        parser.add_argument(
            "--as-if-proven",
            action="store_true",
            help="count decisions as if every mail were proven, so that only words and kind of mail are checked",
        )
        parser.add_argument("--list", action="store_true", help="print the misread rows on standard error")

    def handle(self, *args: object, folder: Path, authserv_id: str, as_if_proven: bool, **options: object) -> None:
        try:
            replies = measure_replies(folder)
            self.stdout.write(f"replies {replies.exact}/{replies.total} exact")
            robots = measure_automatic(folder)
            self.stdout.write(f"automatic {robots.found}/{robots.total} found, {robots.humans_lost} human lost")
            self.stdout.write(f"decisions taken {decisions_taken(folder, authserv_id, as_if_proven=as_if_proven)}")
            self._lines(folder / FILE_NAME, names=bool(options["list"]))
        except BadFolder as error:
            raise CommandError(str(error)) from error
        for name in robots.relabelled:
            self.stderr.write(f"{name}: labelled human, but its text says that a machine sent it; counted as automatic")
        for name in replies.missed + robots.missed if options["list"] else []:
            self.stderr.write(f"misread: {name}")

    def _lines(self, path: Path, *, names: bool) -> None:
        if not path.is_file():
            return
        score = measure_lines(path)
        lost, shown = len(score.lost), len(score.shown)
        self.stdout.write(f"own words lost {lost}/{score.total}, quotation shown {shown}/{score.total}")
        for name in score.lost if names else []:
            self.stderr.write(f"own words lost: {name}")
        for name in score.shown if names else []:
            self.stderr.write(f"quotation shown: {name}")
