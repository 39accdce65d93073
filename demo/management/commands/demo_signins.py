"""`manage.py demo_signins`: the users of the demo, their roles, and what to try."""

from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from accounts.models import User
from demo.people import PASSWORD, Person, demo_people


class Command(BaseCommand):
    help = "Print the demo people with their roles and the demo password; nothing secret on any other database."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [_row(person, user) for person, user in _found() if user.is_active]
        if not rows:
            self.stdout.write("No demo people in this database.")
            return
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        self.stdout.write(f"\nSign in with the password {PASSWORD} as")
        for row in rows:
            cells = [text.ljust(width) for text, width in zip(row[:3], widths, strict=True)]
            self.stdout.write("  ".join(["", *cells, row[3]]))


def _found() -> list[tuple[Person, User]]:
    try:
        found = demo_people()
        # All users share one hash unless one was changed; checking a hash is slow on purpose.
        unchanged = {each for each in {user.password for _, user in found} if check_password(PASSWORD, each)}
        return [(person, user) for person, user in found if user.password in unchanged]
    except DatabaseError:
        return []


def _row(person: Person, user: User) -> tuple[str, str, str, str]:
    return user.name, user.email, ", ".join(role.name for role in user.roles), person.tries
