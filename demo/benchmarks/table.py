"""The table of the bench: every row beside its floor, its bar, the smaller database and helpdesk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from demo.benchmarks.measure import Result
from demo.benchmarks.pages import Bar, Row
from ledger import format as write

KB = 1024
HEADER = (
    *("", "queries", "ms", "processor", "kB", "sent", "floor", "times", "processor times"),
    *("smaller", "growth", "helpdesk", "bar", ""),
)
NONE = "–"


@dataclass(frozen=True)
class Line:
    """A row with its result, and its result on the smaller database if there is one."""

    row: Row
    result: Result
    smaller: Result | None = None

    @property
    def growth(self) -> float | None:
        """Milliseconds compared with the smaller database."""
        if self.smaller is None or not self.smaller.milliseconds or self.result.problem:
            return None
        return self.result.milliseconds / self.smaller.milliseconds

    def missed(self) -> list[str]:
        """The parts of the bar that are not reached; what could not be measured is not reached."""
        if self.result.problem:
            return [self.result.problem]
        return [
            name for name, value, most in self._measured() if most is not None and value is not None and value > most
        ]

    def _measured(self) -> Iterator[tuple[str, float | None, float | None]]:
        bar, found = self.row.bar, self.result
        yield "times", found.times, bar.times
        yield "queries", found.queries, bar.queries
        yield "ms", found.milliseconds, bar.milliseconds
        yield "processor", found.processor, bar.processor
        yield "kB", found.plain, bar.bytes
        yield "growth", self.growth, bar.growth

    def cells(self) -> list[str]:
        """The texts of the line."""
        found, missed = self.result, self.missed()
        verdict = f"short: {', '.join(missed)}" if missed else "ok"
        if found.problem:
            return [self.row.name, *[NONE] * (len(HEADER) - 3), told(self.row.bar), verdict]
        return [
            self.row.name,
            _cell(found.queries, 0),
            _cell(found.milliseconds),
            _cell(found.processor),
            _cell(found.plain / KB),
            _cell(found.sent / KB),
            _cell(found.floor),
            _cell(found.times),
            _cell(found.processor_times),
            _cell(self.smaller.milliseconds if self.smaller and not self.smaller.problem else None),
            _cell(self.growth),
            _cell(self.row.helpdesk, 0),
            told(self.row.bar),
            verdict,
        ]


def _cell(value: float | None, places: int = 1) -> str:
    return NONE if value is None else write.figure(value, places)


def told(bar: Bar) -> str:
    """A bar as text: `≤ 3.5 × floor, 8 queries`."""
    parts = (
        (bar.times, "× floor", 1.0),
        (bar.queries, "queries", 1.0),
        (bar.milliseconds, "ms", 1.0),
        (bar.processor, "ms processor", 1.0),
        (bar.bytes, "kB", KB),
        (bar.growth, "× smaller", 1.0),
    )
    said = [f"{write.number(value / unit)} {name}" for value, name, unit in parts if value is not None]
    return f"≤ {', '.join(said)}" if said else NONE


def lines(rows: Sequence[Row], results: Sequence[Result], smaller: Sequence[Result] = ()) -> list[Line]:
    """The lines of a table."""
    small = {each.name: each for each in smaller}
    return [Line(row, result, small.get(row.name)) for row, result in zip(rows, results, strict=True)]


def text(title: str, found: Sequence[Line]) -> str:
    """The table with its title; figures right, words left."""
    rows = [HEADER, *(each.cells() for each in found)]
    last = len(HEADER) - 2
    widths = [max(len(row[column]) for row in rows) for column in range(last + 1)]
    out = []
    for row in rows:
        cells = [
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        out.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join([title, *out])
