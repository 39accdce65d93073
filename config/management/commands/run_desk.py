"""`manage.py run_desk`: prepare the database and run web, engine and worker until Ctrl-C. `make run` calls it."""

import os
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from config import supervisor


class Command(BaseCommand):
    help = "Migrate, seed an empty database with demo data, then run web, engine and worker until Ctrl-C."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *args: object, **options: object) -> None:
        try:
            with supervisor.stopped_by_signals():
                self._prepare(demo=not options["no_demo"])
                self._supervise()
        except supervisor.Stopped:
            self.stdout.write("\nStopped.")

    def _prepare(self, *, demo: bool) -> None:
        if not supervisor.port_is_free(settings.PORT):
            raise CommandError(f"Port {settings.PORT} is in use. Choose another: PORT=8001 make run")
        self.stdout.write("Preparing the database")
        self.stdout.flush()
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {str(error).splitlines()[0]}") from error
        if demo:
            call_command("seed_demo", if_empty=True, stdout=self.stdout)
        if static_is_stale():
            self.stdout.write("Collecting static files")
            self.stdout.flush()
            call_command("collectstatic", verbosity=0, interactive=False)
        connections.close_all()

    def _supervise(self) -> None:
        self.stdout.write("Starting web, engine and worker")
        self.stdout.flush()
        supervisord = supervisor.start(
            root=Path(settings.BASE_DIR),
            var=Path(settings.VAR_DIR),
            port=settings.PORT,
            settings=os.environ["DJANGO_SETTINGS_MODULE"],
            as_root=os.geteuid() == 0,
        )
        try:
            if not supervisor.wait_until_ready(supervisord, settings.PORT):
                raise CommandError(f"Escalation Desk did not start; see {settings.VAR_DIR / 'log'}.")
            self._welcome()
            supervisord.wait()
            raise CommandError(f"The supervisor ended; {settings.VAR_DIR / 'log' / 'supervisor.log'} says why.")
        finally:
            supervisor.stop(supervisord)

    def _welcome(self) -> None:
        self.stdout.write(self.style.SUCCESS(f"\nEscalation Desk runs at {settings.SITE_URL}"))
        call_command("demo_signins", stdout=self.stdout)
        connections.close_all()
        self.stdout.write(f"Logs: {settings.VAR_DIR / 'log'}. Ctrl-C stops everything.")


def static_is_stale() -> bool:
    """Whether a static file or an installed package is newer than the last collection."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.exists():
        return True
    sources = [path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*")]
    stamps = [*sources, Path(settings.BASE_DIR) / ".venv" / ".requirements"]
    return max((path.stat().st_mtime for path in stamps if path.exists()), default=0.0) > manifest.stat().st_mtime
