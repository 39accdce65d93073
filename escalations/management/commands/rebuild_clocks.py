"""`manage.py rebuild_clocks`: compute every clock from its history and report rows that differ."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from escalations.clocks import audit as rebuilding
from escalations.models import Clock


class Command(BaseCommand):
    help = "Rebuild every clock from its history and report differences; exit 1 if there are any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="repair the rows that differ from their history")

    def handle(self, *args: object, **options: object) -> None:
        found = list(rebuilding.differences())
        for each in found:
            self.stderr.write(str(each))
        checked, wrong = Clock.objects.count(), {each.clock.pk for each in found}
        if options["repair"] and wrong:
            done = sum(rebuilding.repair(pk) for pk in sorted(wrong))
            self.stdout.write(f"{done} of {len(wrong)} clocks repaired")
            found = list(rebuilding.differences())
            wrong = {each.clock.pk for each in found}
        if found:
            raise CommandError(f"{len(found)} differences in {len(wrong)} of {checked} clocks")
        self.stdout.write(f"{checked} clocks rebuilt from their history, no difference")
