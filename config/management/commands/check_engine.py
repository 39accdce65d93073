"""`manage.py check_engine`: is every promise watched? For a monitor, a cron job or a person."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from reports.queries import engine
from reports.rules.vitals import Vitals, problems, seconds, sentence


class Command(BaseCommand):
    help = "Print how the engine is; exit 1 when something is not well."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print the problems only")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            measured = engine.vitals()
        except DatabaseError as error:
            self.stderr.write(f"The database does not answer: {str(error).splitlines()[0]}")
            raise SystemExit(1) from error
        found = problems(measured)
        if not options["quiet"]:
            self.stdout.write("\n".join([sentence(measured)[1], *lines(measured)]))
        for each in found:
            self.stderr.write(f"Problem: {each.text}")
        if found:
            raise SystemExit(1)


def lines(measured: Vitals) -> list[str]:
    """The figures, one a line."""
    return [
        f"engine    {_age(measured.engine)}",
        f"sender    {_age(measured.sender)}",
        f"worker    {_age(measured.worker)}",
        (
            f"clocks    {measured.running} running, {measured.paused} paused, {measured.overdue} due now, "
            f"{measured.parked_clocks} set aside; oldest due waits {seconds(measured.lag)}"
        ),
        f"messages  {measured.waiting_messages} waiting, {measured.parked_messages} set aside",
        f"database  clock differs by {measured.drift.total_seconds():.1f} s",
    ]


def _age(age: timedelta | None) -> str:
    return "never seen" if age is None else f"alive {seconds(age)} ago"
