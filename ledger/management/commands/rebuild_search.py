"""`manage.py rebuild_search`: make the search index agree with the rows."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from ledger.format import number
from ledger.search.index import differences, indexes, rebuild


class Command(BaseCommand):
    help = "Compare the words in the search index with their rows, print each difference, and repair it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare; fails if anything differs")

    def handle(self, *args: object, check: bool, **options: object) -> None:
        count = 0
        for index in indexes():
            if check:
                for each in differences(index):
                    count += 1
                    self.stdout.write(str(each))
            else:
                count += rebuild(index, lambda each: self.stdout.write(str(each)))
        if check and count:
            raise CommandError(f"{number(count)} differences. Run rebuild_search to repair them.")
        self.stdout.write(f"{number(count)} differences{'' if check else ' repaired'}.")
