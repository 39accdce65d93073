"""The data of the dashboard, read in a constant number of queries."""

from dataclasses import dataclass
from datetime import date

from reports.facts import follow
from reports.models import DecisionFact
from reports.queries import lines, quality
from reports.queries import trends as drawn
from reports.queries.kpis import SLOWEST_FIRST, Counting, Row, TimeToDecision
from reports.queries.scope import Scope
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
    regions: list[str]
    freshness: follow.Freshness

    @property
    def five(self) -> list[Figure]:
        """The cards."""
        return [self.figures[slug] for slug in self.catalogue.main]

    @property
    def others(self) -> list[Figure]:
        """Levels that are reported without a target."""
        return [self.figures[slug] for slug in self.catalogue.apart]


def dashboard(scope: Scope, period: Period) -> Dashboard:
    """At most six queries, for any number of cases."""
    counting = Counting(scope, period, tuple(lines.READS))
    ended, points = drawn.ended_clocks(counting), drawn.starts(period)
    return Dashboard(
        period=period,
        catalogue=counting.shown,
        figures=counting.figures(),
        points=points,
        trends=drawn.decision_trends(counting),
        promises=drawn.promises(ended, len(points)),
        causes=drawn.root_causes(counting),
        slowest=_slowest(counting),
        handoffs=quality.handoffs(counting),
        overrides=quality.overrides(counting),
        attainment=drawn.attainment(ended),
        reopened=quality.reopened(counting),
        money=quality.money(counting),
        regions=regions(counting),
        freshness=follow.freshness(),
    )


def _slowest(counting: Counting) -> list[Row]:
    """The slowest decisions of the period. One query, which looks up a case only for those."""
    every = TimeToDecision(rules.FIXED[rules.DECISIONS])
    listing = every.cases(counting)
    few = DecisionFact.objects.filter(pk__in=every.rows(counting).values("pk")[: drawn.SLOWEST])
    return listing.made(few.select_related("case__account").order_by(*SLOWEST_FIRST))


def regions(counting: Counting) -> list[str]:
    """The regions to choose from, and the one that is chosen."""
    found = {line.first for line in counting.lines[lines.REGIONS]}
    return sorted(found | {counting.facts.scope.region} - {""})
