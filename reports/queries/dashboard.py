"""The data of the dashboard, read in a constant number of queries."""

from dataclasses import dataclass
from datetime import date

from reports.queries import quality
from reports.queries import trends as drawn
from reports.queries.kpis import Counting, Row, Scope
from reports.rules import kpis as rules
from reports.rules.kpis import Figure
from reports.rules.periods import Period


@dataclass(frozen=True)
class Dashboard:
    """The facts of the page; the view draws charts from them."""

    period: Period
    catalogue: rules.Catalogue
    figures: dict[str, Figure]
    points: list[date]
    trends: list[drawn.Trend]
    promises: list[drawn.Promises]
    causes: list[drawn.Cause]
    slowest: list[Row]
    handoffs: quality.HandOffs
    overrides: quality.Overrides
    attainment: list[drawn.Attainment]
    reopened: quality.Reopened
    money: list[quality.Money]

    @property
    def five(self) -> list[Figure]:
        """The cards."""
        return [self.figures[slug] for slug in self.catalogue.main]

    @property
    def others(self) -> list[Figure]:
        """Levels that are reported without a target."""
        return [self.figures[slug] for slug in self.catalogue.apart]


def dashboard(scope: Scope, period: Period) -> Dashboard:
    """At most fourteen queries, for any number of cases."""
    counting = Counting(scope, period)
    shown = counting.shown
    ended, points = drawn.ended_clocks(scope, period), drawn.starts(period)
    slow = counting.kpi(rules.DECISIONS).cases(counting)
    return Dashboard(
        period=period,
        catalogue=shown,
        figures=counting.figures(),
        points=points,
        trends=drawn.decision_trends(scope, period, shown),
        promises=drawn.promises(ended, len(points)),
        causes=drawn.root_causes(scope, period, counting.causes[0]),
        slowest=slow.made(slow.rows[: drawn.SLOWEST]),
        handoffs=quality.handoffs(scope, period),
        overrides=quality.overrides(scope, period),
        attainment=drawn.attainment(ended),
        reopened=quality.reopened(scope, period),
        money=quality.money(scope, period),
    )
