"""Databases for test desks: migrated (and filled) once a session, then copied."""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support import postgres
from tests.support.server import environment_for, manage


class Templates:
    """Makes a database by running commands once for each recipe, and copies of it as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = os.environ.get("DATABASE_URL", "")
        self.on_postgres = self.server.startswith("postgres")
        self._made: dict[tuple[str, ...], str] = {}

    @contextmanager
    def copy(self, *recipe: str) -> Iterator[str]:
        """The URL of a fresh copy. A recipe is one management command after `migrate`, such as ("seed_demo",)."""
        template = self._template(recipe)
        name = f"desk_{uuid.uuid4().hex[:12]}"
        if self.on_postgres:
            yield postgres.create(self.server, name, template)
            postgres.drop(self.server, name)
        else:
            path = self.folder / f"{name}.sqlite3"
            shutil.copyfile(template, path)
            yield f"sqlite:///{path}"

    def _template(self, recipe: tuple[str, ...]) -> str:
        if recipe not in self._made:
            self._made[recipe] = self._make(recipe)
        return self._made[recipe]

    def _make(self, recipe: tuple[str, ...]) -> str:
        name = f"template_{uuid.uuid4().hex[:12]}"
        path = self.folder / f"{name}.sqlite3"
        url = postgres.create(self.server, name) if self.on_postgres else f"sqlite:///{path}"
        # The clock stands in a table that the first migrate has yet to make.
        environment = environment_for(url, self.folder, port=8000, CLOCK_MAY_MOVE="0")
        manage(environment, "migrate", "--verbosity", "0")
        if recipe:
            manage(environment, *recipe, seconds=300)
        if self.on_postgres:
            return name
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return str(path)
