"""`manage.py bench`: figures of this machine and database beside their floors, in half a minute at most."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from config.demo import figures
from ledger.errors import Refused
from ledger.now import now


class Command(BaseCommand):
    help = "Measure signing, due times, the queue and seeding on the database as it is. Changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        if not User.objects.exists():
            raise CommandError("The database is empty. Run seed_demo first.")
        self.stdout.write(figures.sizes(now()))
        try:
            for figure in (figures.chain_append(), figures.due_time(), *figures.queue_page(), figures.seed_rate()):
                self.stdout.write(str(figure))
                self.stdout.flush()
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
