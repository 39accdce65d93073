"""`manage.py check_engine`: whether every clock is watched. For a monitor, a cron job or a person."""

from argparse import ArgumentParser
from datetime import timedelta

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from config import outside
from ledger.format import figure, rough
from reports.queries import engine
from reports.rules.vitals import Problem, Vitals, problems, sentence


class Command(BaseCommand):
    help = "Print the state of the engine; exit 1 if there is a problem."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="print the problems only")
        parser.add_argument(
            "--ping", action="store_true", help="call HEARTBEAT_URL if every clock is watched, like the engine"
        )

    def handle(self, *args: object, **options: object) -> None:
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
        told = not options["ping"] or self._ping(found)
        if found or not told:
            raise SystemExit(1)

    def _ping(self, found: list[Problem]) -> bool:
        """Call the external monitor, unless clocks are not watched. Problems that only need a person do not prevent the
        call."""
        if not settings.HEARTBEAT_URL:
            raise CommandError("No external monitor is set up: set HEARTBEAT_URL to its address.")
        if any(each.stops for each in found):
            self.stderr.write("The external monitor was not called, so that it raises an alarm.")
            return False
        try:
            outside.ping()
        except outside.NotReached as error:
            self.stderr.write(f"The external monitor was not reached: {error}")
            return False
        self.stdout.write("The external monitor answered.")
        return True


def lines(measured: Vitals) -> list[str]:
    """The figures, one per line."""
    return [
        f"engine    {_age(measured.engine)}",
        f"sender    {_age(measured.sender)}",
        f"worker    {_age(measured.worker)}",
        f"outside   {'not set up' if measured.outside is None else f'last answered {rough(measured.outside)} ago'}",
        (
            f"clocks    {measured.running} running, {measured.paused} paused, {measured.overdue} due now, "
            f"{measured.parked_clocks} set aside; oldest due waits {rough(measured.lag)}"
        ),
        f"targets   {measured.unwatched} cases without a required clock, {measured.lost_steps} clocks without a step",
        (
            f"messages  {measured.waiting_messages} waiting, {measured.parked_messages} parked, "
            f"{measured.stuck_messages} taken by a silent sender"
        ),
        f"database  clock differs by {figure(measured.drift.total_seconds(), 1)} s",
    ]


def _age(age: timedelta | None) -> str:
    return "never seen" if age is None else f"alive {rough(age)} ago"
