"""`manage.py bench`: figures of this machine and database with their floors, in the same run."""

import json
import subprocess
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.models import User
from demo import figures
from demo.benchmarks import engines, scratch
from ledger.errors import Refused
from ledger.format import number
from ledger.now import now


class Command(BaseCommand):
    help = (
        "Measure signing, due times, the queue and seeding on the database as it is, and the engine in a database of its own. "
        "Changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--engine-only", action="store_true", help="measure only the engine")
        parser.add_argument("--pages-only", action="store_true", help="do not measure the engine")
        parser.add_argument("--fill-and-fire", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fill_and_fire"]:
            self.stdout.write(json.dumps(engines.measure()))
            return
        if not options["engine_only"]:
            self._here()
        if not options["pages_only"]:
            self._engine()

    def _here(self) -> None:
        if not User.objects.exists():
            raise CommandError("The database is empty. Run seed_demo first.")
        self.stdout.write(figures.sizes(now()))
        try:
            for figure in (figures.chain_append(), figures.due_time(), *figures.queue_page(), figures.seed_rate()):
                self._show(figure)
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal

    def _engine(self) -> None:
        """On a separate database, which is deleted afterwards."""
        self.stdout.write(
            f"Engine on {connection.vendor}: filling a database with {number(engines.CASES)} open cases …"
        )
        self.stdout.flush()
        try:
            with scratch.database() as environment:
                scratch.manage(environment, "seed_demo")
                told = scratch.manage(environment, "bench", "--fill-and-fire", seconds=1800)
        except subprocess.CalledProcessError as error:
            raise CommandError(f"The engine could not be measured: {error.stderr.strip().splitlines()[-1]}") from error
        for figure in figures.engine(json.loads(told.splitlines()[-1])):
            self._show(figure)

    def _show(self, figure: figures.Figure) -> None:
        self.stdout.write(str(figure))
        self.stdout.flush()
