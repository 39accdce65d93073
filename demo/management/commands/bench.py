"""`manage.py bench`: figures of this machine beside their floors and bars, in the same run."""

import subprocess
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable, Sequence
from typing import cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.supervisor import Stopped, stopped_by_signals
from demo import figures
from demo.benchmarks import engines, inside, keeping, load, load_plan, preparing, run, subjects

# What a run starts as a process on another database: its name, and what it prints.
PARTS: dict[str, Callable[[], str | None]] = {
    "prepare": preparing.prepare,
    "tidy": subjects.tidy,
    "subjects": lambda: str(subjects.find()),
    "inside": inside.look,
    "engine": engines.told,
    "rest": figures.told,
    "add-requests": load_plan.add_requests,
    "load-requests": load_plan.requests,
    "falling": load.falling,
}


def sizes(text: str) -> list[int]:
    """From the command line. ValueError if it is not numbers."""
    return [int(each) for each in text.split(",")]


class Command(BaseCommand):
    help = (
        "Measure pages, the API, the engine and memory on filled databases under var/bench, on SQLite and, if DATABASE_URL "
        "names a PostgreSQL server, there too. The databases are filled at the first run. The database in use is not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--cases", type=sizes, default=run.SIZES, metavar="N,N", help="the smallest first (default 10000,100000)"
        )
        parser.add_argument("--only", choices=["pages", "memory", "rest", "engine"], help="measure only this")
        parser.add_argument("--load", action="store_true", help="measure 16 clients at once instead")
        parser.add_argument("--part", choices=[*PARTS], help=SUPPRESS)

    def handle(self, *args: object, **options: object) -> None:
        if part := options["part"]:
            if told := PARTS[str(part)]():
                self.stdout.write(told)
            return
        try:
            with stopped_by_signals():
                self._run(options)
        except Stopped:
            raise CommandError("Stopped.") from None
        except subprocess.CalledProcessError as error:
            said = (error.stderr or "").strip().splitlines() or [str(error)]
            raise CommandError(f"{' '.join(error.cmd[1:])}: {said[-1]}") from error
        except RuntimeError as error:
            raise CommandError(str(error)) from error

    def _run(self, options: dict[str, object]) -> None:
        server = keeping.server_in_use()
        store = keeping.Store(settings.VAR_DIR / "bench", server, self._say)
        bench = run.Bench(store, self._say, cast("Sequence[int]", options["cases"]))
        run.whole(bench, "load" if options["load"] else str(options["only"] or ""))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
