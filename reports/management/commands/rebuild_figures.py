"""`manage.py rebuild_figures`: write the rows that figures are counted from anew, or compare them."""

from argparse import ArgumentParser
from time import monotonic

from django.core.management.base import BaseCommand, CommandError

from ledger.format import number
from reports.facts import follow

TELL_EVERY = 10_000


class Command(BaseCommand):
    told = 0
    help = "Count the figures anew from the cases. With --check nothing is written: differences are listed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare; exits with 1 if anything differs")

    def handle(self, *args: object, check: bool, **options: object) -> None:
        if check:
            found = follow.check()
            for each in found:
                self.stdout.write(each)
            if found:
                raise CommandError(f"{number(len(found))} rows differ. Run rebuild_figures without --check.")
            self.stdout.write("The figures agree with the cases.")
            return
        begun = monotonic()
        cases = follow.rebuild(self._tell)
        self.stdout.write(f"The figures of {number(cases)} cases were counted in {number(monotonic() - begun, 0)} s.")

    def _tell(self, cases: int) -> None:
        if cases - self.told >= TELL_EVERY:
            self.told = cases
            self.stdout.write(f"  {number(cases)} cases")
            self.stdout.flush()
