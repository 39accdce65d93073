"""`manage.py bench_clocks`: fill this database with a million clocks and measure the engine on it. Part of `bench`."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import engine
from demo.benchmarks import engines, million
from escalations.models import Clock


class Command(BaseCommand):
    help = "Measure the engine on a throw-away database: fills it with a million clocks. `bench` calls this."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cases", type=int, default=million.CASES, help="cases of ten clocks each")
        parser.add_argument("--seconds", type=int, default=60, help="over which 2,000 clocks are spread")

    def handle(self, *args: Any, **options: Any) -> None:
        if Clock.objects.filter(case_id__gt=million.FIRST).exists():
            raise CommandError("This database was measured before. Use an empty one: `bench` makes it.")
        cases = options["cases"]
        million.fill(cases)
        engine.spare_the_collector()
        steps = min(10_000, cases // 4)
        raw = max(million.raw_rate(steps, first=cases // 2) for _ in range(3))
        swept = max(million.sweep_rate(steps // 2, first=each * steps // 2) for each in range(2))
        spread = engines.lateness(min(2000, steps), options["seconds"], first=steps)
        instant = engines.lateness(steps, 0.0, first=2 * steps)
        figures = {
            "clocks": Clock.objects.count(),
            "steps": steps,
            "raw": raw,
            "sweep": swept,
            "p99": engines.percentile(spread, 99),
            "max": spread[-1],
            "instant": instant[-1],
        }
        self.stdout.write(json.dumps(figures))
