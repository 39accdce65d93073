"""Filled databases that are kept between runs, under var/bench, for one schema: another one fills anew and deletes the old."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic

import psycopg
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from demo.benchmarks import servers
from demo.benchmarks.servers import ROOT, manage, shown
from ledger import format as write

SQLITE, POSTGRES = "sqlite", "postgres"
Say = Callable[[str], None]
# What fills a database, besides its schema.
FILLERS = ("demo/fill.py", "demo/copies.py", "demo/benchmarks/preparing.py")
PREFIX = "desk_bench"
MB = 1024 * 1024
# Megabytes that 100,000 filled cases take, with what is written on the way.
SPACE = 9_000


@dataclass(frozen=True)
class Kept:
    """A filled database: where it is, and how fast it was filled."""

    vendor: str
    cases: int
    url: str
    seconds: float = 0.0
    rate: float = 0.0

    @property
    def name(self) -> str:
        """Such as `sqlite-10000`."""
        return f"{self.vendor}-{self.cases}"

    @property
    def path(self) -> Path:
        """The file on SQLite."""
        return Path(self.url.removeprefix("sqlite:///"))


def schema_key() -> str:
    """A short name for this schema: the names of all migrations, the text of ours, and the files that fill."""
    found = hashlib.sha256()
    for app, name in sorted(MigrationLoader(None, ignore_no_migrations=True).disk_migrations):
        found.update(f"{app}.{name}\n".encode())
        path = Path(apps.get_app_config(app).path) / "migrations" / f"{name}.py"
        if ROOT in path.parents and ".venv" not in path.parts:
            found.update(path.read_bytes())
    for filler in FILLERS:
        found.update((ROOT / filler).read_bytes())
    return found.hexdigest()[:10]


class Store:
    """The kept databases of this schema. `server`: URL of a PostgreSQL server on which databases can be made, or ''."""

    def __init__(self, folder: Path, server: str, say: Say) -> None:
        self.key, self.server, self.say = schema_key(), server, say
        self.base, self.folder = folder, folder / self.key
        self.desk = folder / "desk"  # files and logs of the measured desks
        self.folder.mkdir(parents=True, exist_ok=True)
        self.desk.mkdir(exist_ok=True)

    @property
    def vendors(self) -> tuple[str, ...]:
        """The kinds of databases that can be made here."""
        return (SQLITE, POSTGRES) if self.server else (SQLITE,)

    def delete_others(self) -> None:
        """Remove what was filled for another schema."""
        for old in self.base.iterdir():
            if old.is_dir() and len(old.name) == len(self.key) and old != self.folder and (old / "kept").exists():
                self.say(f"Deleting the databases of an earlier schema ({old.name})")
                shutil.rmtree(old)
        (self.folder / "kept").touch()
        if self.server:
            rows = self._on_server("SELECT datname FROM pg_database WHERE datname LIKE 'desk\\_bench\\_%'")
            for name in rows:
                if not name.startswith(f"{PREFIX}_{self.key}_"):
                    self._on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def collect_static(self) -> None:
        """The static files of the measured desks."""
        given = servers.environment(f"sqlite:///{self.desk / 'none.sqlite3'}", self.desk)
        manage(given, "collectstatic", "--verbosity", "0", "--no-input")

    def filled(self, vendor: str, cases: int) -> Kept:
        """The database with this number of cases; filled now if it is not there. None: only the demo."""
        kept = Kept(vendor, cases, self._url(vendor, cases))
        note = self.folder / f"{kept.name}.json"
        if note.exists() and self._exists(kept):
            told = json.loads(note.read_text())
            return replace(kept, seconds=told["seconds"], rate=told["rate"])
        note.unlink(missing_ok=True)
        self._check_space(cases)
        done = self._fill(kept)
        note.write_text(json.dumps(asdict(done)))
        return done

    def copy(self, kept: Kept, name: str) -> Kept:
        """A copy for a measurement that changes much; `drop` it afterwards."""
        if kept.vendor == SQLITE:
            target = self.folder / f"{name}.sqlite3"
            self.drop(made := replace(kept, url=f"sqlite:///{target}"))
            shutil.copyfile(kept.path, target)
            return made
        self.drop(made := replace(kept, url=_with_name(self.server, f"{PREFIX}_{self.key}_{name}")))
        self._on_server("CREATE DATABASE {} TEMPLATE {}", _name_in(made.url), _name_in(kept.url))
        return made

    def drop(self, kept: Kept) -> None:
        """Delete a database."""
        if kept.vendor == SQLITE:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{kept.path}{suffix}").unlink(missing_ok=True)
        else:
            self._on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", _name_in(kept.url))

    def _url(self, vendor: str, cases: int) -> str:
        if vendor == SQLITE:
            return f"sqlite:///{self.folder / f'sqlite-{cases}.sqlite3'}"
        return _with_name(self.server, f"{PREFIX}_{self.key}_{cases}")

    def _exists(self, kept: Kept) -> bool:
        if kept.vendor == SQLITE:
            return kept.path.exists()
        return bool(self._on_server("SELECT 1 FROM pg_database WHERE datname = {}", text=_name_in(kept.url)))

    def _check_space(self, cases: int) -> None:
        free, needed = shutil.disk_usage(self.folder).free / MB, SPACE * cases / 100_000
        if free < needed:
            raise RuntimeError(
                f"{write.number(needed, 0)} MB are needed below {self.folder} for {write.number(cases)} cases; "
                f"{write.number(free, 0)} are free"
            )

    def _fill(self, kept: Kept) -> Kept:
        self.drop(kept)
        if kept.vendor == POSTGRES:
            self._on_server("CREATE DATABASE {}", _name_in(kept.url))
        given = servers.environment(kept.url, self.desk)
        begun = monotonic()
        self.say(f"Filling {kept.name} …")
        manage(given, "migrate", "--verbosity", "0")
        manage(given, "seed_demo")
        if not kept.cases:
            return replace(kept, seconds=monotonic() - begun)
        filling = monotonic()
        shown(given, self._progress(kept), "seed_demo", "--cases", str(kept.cases))
        rate = kept.cases / (monotonic() - filling)
        self.say(f"  {kept.name}: a case with 1,000 posts, statistics …")
        manage(given, "bench", "--part", "prepare")
        return replace(kept, seconds=monotonic() - begun, rate=rate)

    def _progress(self, kept: Kept) -> Say:
        told = 0

        def say(line: str) -> None:
            nonlocal told
            done = line.strip().partition(" of ")[0].replace(",", "")
            if done.isdecimal() and int(done) - told >= kept.cases / 10:
                told = int(done)
                self.say(f"  {kept.name}: {line.strip()}")

        return say

    def _on_server(self, statement: str, *names: str, text: str = "") -> list[str]:
        """Run a statement; returns the first column. `{}` is a name of a database, or the text."""
        parts: Iterable[sql.Composable] = [sql.Literal(text)] if text else [sql.Identifier(name) for name in names]
        with psycopg.connect(self.server, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement).format(*parts) if "{}" in statement else statement.encode())
            return [str(row[0]) for row in cursor.fetchall()] if cursor.description else []


def _name_in(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _with_name(url: str, name: str) -> str:
    head, mark, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{mark}{query}"


def server_in_use() -> str:
    """The PostgreSQL server that DATABASE_URL names; '' if it names none."""
    url = os.environ.get("DATABASE_URL", "")
    return url if url.startswith("postgres") else ""
