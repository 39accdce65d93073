"""`manage.py kpis`: the figures of the framework, for a terminal or a program."""

from argparse import ArgumentParser
from json import dumps

from django.core.management.base import BaseCommand, CommandError

from ledger.errors import Invalid
from ledger.now import now
from reports.facts import follow
from reports.queries.kpis import catalogue, figures
from reports.queries.scope import Scope
from reports.rules import periods
from reports.rules.kpis import Figure
from reports.rules.periods import Period


class Command(BaseCommand):
    help = "Print the five KPIs of a period with target, owner, state and the number of cases behind each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--period", default="", help="30, 90 (default), quarter or last-quarter")
        parser.add_argument("--from", default="", dest="first", help="first day, such as 2026-01-01")
        parser.add_argument("--to", default="", dest="last", help="last day, such as 2026-03-31")
        parser.add_argument("--region", default="", help="only accounts of this region")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(
        self, *args: object, period: str, first: str, last: str, region: str, json: bool, **options: object
    ) -> None:
        given = {"period": period, "from": first, "to": last}
        try:
            shown_period = periods.read(given, now())
        except Invalid as error:
            raise CommandError(error.message) from error
        while follow.pull():
            pass
        found, listed = figures(Scope(region=region), shown_period), catalogue()
        shown = [found[slug] for slug in (*listed.main, *listed.apart)]
        self.stdout.write(_json(shown, shown_period) if json else _text(shown, shown_period))


def _json(shown: list[Figure], period: Period) -> str:
    span = {"from": str(period.first_day), "to": str(period.last_day), "compared_with": period.compared}
    return dumps({"period": span, "kpis": [figure.as_dict() for figure in shown]}, indent=2)


def _text(shown: list[Figure], period: Period) -> str:
    lines = [f"{period.text}, compared with {period.compared}"]
    for figure in shown:
        each = figure.definition
        value = "–" if figure.shown is None else f"{figure.number} {figure.unit}"
        said = [figure.word, figure.note, figure.change, f"{figure.cases} cases"]
        lines.append(f"{each.name:<30}{value:>14}   {each.target_text}. {'; '.join(filter(None, said))}")
    return "\n".join(lines)
