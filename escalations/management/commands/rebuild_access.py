"""`manage.py rebuild_access`: compute anew who may see which case, and correct the rows that differ."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from escalations.cases import access_rows
from escalations.models import CaseAccess


class Command(BaseCommand):
    help = "Compute anew who may see which case and correct the rows that differ. With --check: write nothing, exit 1 if any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if rows differ")

    def handle(self, *args: object, **options: object) -> None:
        def tell(done: int) -> None:
            if options["verbosity"] == 2:
                self.stdout.write(f"{done} cases")

        count = access_rows.rebuild(tell, write=not options["check"])
        if count and options["check"]:
            raise CommandError(f"{count} rows differ. Run rebuild_access without --check.")
        rows = CaseAccess.objects.count()
        self.stdout.write(f"{count} rows corrected, {rows} rows in all" if count else f"{rows} rows, no difference")
