"""`manage.py seed_demo`: invented people, accounts and cases; with --cases N, a filled database for measuring."""

import os
from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account, User
from demo.fill import Progress, fill
from demo.seeding import seed_demo
from ledger import statistics
from ledger.errors import Refused
from ledger.format import number
from reports.facts.follow import rebuild


class Command(BaseCommand):
    help = "Fill the desk with demo data: people for every role, accounts, cases in every state. --cases N adds N more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing if there are accounts or users")
        parser.add_argument(
            "--cases", type=int, default=0, metavar="N", help="add N cases more, copied from the demo's, for measuring"
        )
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same cases (default 1)")
        parser.add_argument("--force", action="store_true", help="also with production settings")

    def handle(self, *args: Any, **options: Any) -> None:
        if os.environ.get("DJANGO_SETTINGS_MODULE", "").endswith(".prod") and not options["force"]:
            raise CommandError(
                "This is a production desk. Demo people have a known password; add --force if you mean it."
            )
        if options["cases"] < 0:
            raise CommandError("--cases takes a number above 0.")
        in_use = Account.objects.exists() or User.objects.exists()
        if in_use and not options["cases"]:
            if not options["if_empty"]:
                raise CommandError("There are accounts or users already. The demo is for an empty database.")
            self.stdout.write("The database is in use; no demo data were added.")
            return
        try:
            if not in_use:
                begun = monotonic()
                cases = seed_demo(self._say)
                self._say(f"Demo data: {cases} escalations in {number(monotonic() - begun, 0)} s.")
            if options["cases"]:
                done = fill(options["cases"], options["seed"], self._show)
                statistics.renew()
                self._say(
                    f"{number(done.done)} cases, {number(done.rows)} rows, {number(done.rate, 0)} cases a second."
                )
            begun = monotonic()
            rebuild()
            self._say(f"Figures counted in {number(monotonic() - begun, 0)} s.")
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _show(self, progress: Progress) -> None:
        self._say(f"  {number(progress.done)} of {number(progress.of)} cases, {number(progress.rate, 0)} a second")
