"""Databases for tests: each kind is made once in a test run and then copied, for tests in this process and for test desks."""

import fcntl
import os
import pickle
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoDbBlocker

from approvals.matrix import defaults as authority
from escalations.policy import defaults as policy
from ledger.now import moved_to, now
from tests.support import postgres
from tests.support.cast import make_cast, make_deciders


@dataclass(frozen=True)
class Stage:
    """A kind of database. `fill` adds to a copy of `base`; tests get what it returns as a fresh copy."""

    name: str
    fill: Callable[[], object]
    base: "Stage | None" = None


def _migrate() -> None:
    call_command("migrate", verbosity=0)
    call_command("createcachetable")


def _publish_defaults() -> None:
    policy.ensure_defaults()
    authority.ensure_defaults()


def _seed_demo() -> datetime:
    """The demo, and its moment."""
    at = now()
    with moved_to(at):
        call_command("seed_demo", stdout=StringIO())
    return at


EMPTY = Stage("empty", _migrate)
SHIPPED = Stage("shipped", _publish_defaults, EMPTY)
CAST = Stage("cast", make_cast, SHIPPED)
DECIDING = Stage("deciding", make_deciders, SHIPPED)
DEMO = Stage("demo", _seed_demo, EMPTY)


class Templates:
    """The databases of a test run, in a folder that all workers share: the first worker that needs one makes it, the
    others wait."""

    def __init__(self, folder: Path, blocker: DjangoDbBlocker) -> None:
        self.folder, self._blocker = folder, blocker
        self.server = os.environ["DATABASE_URL"]
        self.on_postgres = self.server.startswith("postgres")

    @contextmanager
    def copy(self, stage: Stage = EMPTY) -> Iterator[str]:
        """The URL of a fresh copy of a stage for a desk."""
        name = f"desk_{uuid.uuid4().hex[:12]}"
        self.copy_to(name, self.template(stage))
        yield self.url(name)
        self.drop(name)

    def template(self, stage: Stage) -> str:
        """The name of the template of a stage; made on first use."""
        base = self.template(stage.base) if stage.base else ""
        return self._once(stage.name, base, lambda name: self._fill(name, stage))

    def made(self, stage: Stage) -> bytes:
        """What the stage's `fill` returned, pickled."""
        return (self.folder / f"{self.template(stage)}.pickle").read_bytes()

    def url(self, name: str) -> str:
        """The DATABASE_URL of a database."""
        return postgres.with_name(self.server, name) if self.on_postgres else f"sqlite:///{self.path(name)}"

    def path(self, name: str) -> Path:
        """The file of a database on SQLite."""
        return self.folder / f"{name}.sqlite3"

    def copy_to(self, name: str, template: str) -> None:
        """A new database `name`, in place of an older one."""
        self.drop(name)
        if self.on_postgres:
            postgres.create(self.server, name, template or "template1")
        elif template:
            shutil.copyfile(self.path(template), self.path(name))

    def drop(self, name: str) -> None:
        """Remove a database, even if there are connections."""
        if self.on_postgres:
            postgres.drop(self.server, name)
        else:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.path(name)}{suffix}").unlink(missing_ok=True)

    def _once(self, kind: str, base: str, fill: Callable[[str], None]) -> str:
        name = f"template_{kind}"
        ready = self.folder / f"{name}.ready"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready.exists():
                self.copy_to(name, base)
                fill(name)
                self._settle(name)
                ready.touch()
        return name

    def _fill(self, name: str, stage: Stage) -> None:
        # A test without a database may also be the first to need a template for a desk.
        with self._blocker.unblock():
            connect(self, name)
            made = stage.fill()
            connection.close()
        (self.folder / f"{name}.pickle").write_bytes(pickle.dumps(made))

    def _settle(self, name: str) -> None:
        """Write everything into the one file that is copied."""
        if not self.on_postgres:
            with closing(sqlite3.connect(self.path(name))) as file:
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class WorkerDatabases:
    """One copy of each stage for the tests of this process. A copy is used until a test has committed something."""

    def __init__(self, templates: Templates, worker: str) -> None:
        self.templates = templates
        self.worker = worker
        self._clean: set[str] = set()

    def use(self, stage: Stage) -> None:
        """Connect this process to a clean database of the stage."""
        if connection.in_atomic_block:
            # A fixture of the module has chosen one, and its data would be lost.
            return
        template = self.templates.template(stage)
        name = f"{self.worker}_{stage.name}"
        if name not in self._clean:
            connection.close()
            self.templates.copy_to(name, template)
            self._clean.add(name)
        if connection.settings_dict["NAME"] != _name_in_settings(self.templates, name):
            connect(self.templates, name)

    def spoil(self, stage: Stage) -> None:
        """The copy of the stage has committed data of a test, so the next test gets a new one."""
        connection.close()
        self._clean.discard(f"{self.worker}_{stage.name}")


def connect(templates: Templates, name: str) -> None:
    """Point this process, with its threads to come, at a database."""
    connection.close()
    connection.settings_dict["NAME"] = _name_in_settings(templates, name)
    ContentType.objects.clear_cache()


def _name_in_settings(templates: Templates, name: str) -> str:
    return name if templates.on_postgres else str(templates.path(name))
