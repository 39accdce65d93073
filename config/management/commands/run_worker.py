"""`manage.py run_worker`: run and watch the background jobs."""

from django.core.management.base import BaseCommand

from config import schedules, worker
from config.supervisor import Stopped, stopped_by_signals


class Command(BaseCommand):
    help = "Run the background jobs; a cluster without a sign of life for three minutes is stopped and started again."

    def handle(self, *args: object, **options: object) -> None:
        try:
            with stopped_by_signals():
                schedules.ensure()
                worker.run()
        except Stopped:
            self.stdout.write("Worker stopped.")
