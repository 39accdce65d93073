"""`manage.py seed_demo`: invented people, accounts and cases; with --cases N, a filled database for measuring."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account, User
from approvals.matrix import defaults as authority
from demo.filling import Progress, fill
from demo.people import ensure_people
from demo.seeding import seed_demo
from escalations.policy import defaults as policy
from ledger.errors import Refused


class Command(BaseCommand):
    help = "Fill the desk with demo data: people for every role, accounts, cases in every state. --cases N adds N more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are accounts or users")
        parser.add_argument(
            "--cases", type=int, default=0, metavar="N", help="only add N cases with history, for measuring"
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
        if options["cases"]:
            self._fill(options["cases"], options["seed"])
            return
        if Account.objects.exists() or User.objects.exists():
            if not options["if_empty"]:
                raise CommandError("There are accounts or users already. The demo is for an empty database.")
            self.stdout.write("The database is in use; no demo data were added.")
            return
        self.stdout.write(f"Demo data: {seed_demo()} escalations.")

    def _fill(self, cases: int, seed: int) -> None:
        try:
            policy.ensure_defaults()
            authority.ensure_defaults()
            ensure_people()
            done = fill(cases, seed, self._show)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{done.done:,} cases, {done.rows:,} rows, {done.rate:,.0f} cases a second.")

    def _show(self, progress: Progress) -> None:
        self.stdout.write(f"  {progress.done:,} of {progress.of:,} cases, {progress.rate:,.0f} a second")
        self.stdout.flush()
