"""`manage.py check_calendar FILE`: check the working-time arithmetic against a file of known facts."""

import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from accounts.calendars.rules.facts import Fact, Failure, check, run_facts, split_verified


class Command(BaseCommand):
    help = "Runs a JSON file of calendar facts, prints how many passed and failed, and each failure."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help='JSON file: {"vectors": [...]} or a plain list of facts.')

    def handle(self, *args: object, file: str, **options: object) -> None:
        facts = _read_facts(file)
        passed, failures = run_facts(facts)
        self.stdout.write(f"{passed} passed, {len(failures)} failed")
        if left_out := split_verified(facts)[1]:
            self.stdout.write(f"{len(left_out)} unverified left out")
        for other in filter(None, map(check, left_out)):
            self.stdout.write(f"{_told(other)} (unverified, not counted)")
        for failure in failures:
            self.stdout.write(_told(failure))
        if failures:
            raise CommandError(f"{len(failures)} of {passed + len(failures)} facts failed.", returncode=1)


def _told(failure: Failure) -> str:
    return f"{failure.id}: expected {failure.expected}, got {failure.got}"


def _read_facts(name: str) -> list[Fact]:
    """The facts of the file. Raises CommandError (exit 2) with one line for an unusable file."""
    try:
        content = json.loads(Path(name).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CommandError(f"Cannot read {name}: {error.strerror}.", returncode=2) from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CommandError(f"{name} is not a JSON file: {error}.", returncode=2) from None
    facts = content.get("vectors") if isinstance(content, dict) else content
    if not isinstance(facts, list) or not facts:
        raise CommandError(f'{name} holds no facts: it needs a list, or a list under "vectors".', returncode=2)
    for number, fact in enumerate(facts, start=1):
        if not isinstance(fact, dict):
            raise CommandError(f"{name}: fact {number} is not an object with op, calendar and start.", returncode=2)
    return facts
