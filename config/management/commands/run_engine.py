"""`manage.py run_engine`: fire clocks and send messages until it is stopped."""

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from types import FrameType

from django.core.management.base import BaseCommand
from django.db import connections
from django.db.backends.signals import connection_created

from config import engine
from escalations.clocks import engine as clocks
from ledger.locks import ask_often


class Command(BaseCommand):
    help = "Fire clocks when they are due and send messages, until SIGTERM or Ctrl-C. Several may run at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, print how much it was, and end")

        parser.add_argument(
            "--retry",
            action="store_true",
            help="retry the clocks that were set aside after failing, and end",
        )

    def handle(self, *args: object, **options: object) -> None:
        if options["retry"]:
            number = clocks.retry_failed()
            self.stdout.write(f"{number} clock{'' if number == 1 else 's'} to be retried.")
            return
        if options["once"]:
            fired, sent = engine.run_once()
            self.stdout.write(f"Fired {fired}, sent {sent}.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _setter(stop))
        # The people who save at the same time must not make a clock late.
        connection_created.connect(ask_often)
        connections.close_all()
        self.stdout.write("Engine runs.")
        engine.run(stop)
        self.stdout.write("Engine stopped.")


def _setter(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def note(number: int, frame: FrameType | None) -> None:
        stop.set()

    return note
