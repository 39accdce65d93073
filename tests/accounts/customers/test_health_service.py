"""The kept health score."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.customers import health
from accounts.customers.portfolio import trends, worst_reason
from accounts.models import Account
from accounts.signals import record as signals
from ledger.now import now
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
ANGRY = "This is unacceptable. We will cancel our contract and take legal action."


def test_recent_tone_and_the_renewal_are_known(cast: Cast) -> None:
    signals.record(signals.Observed(kind="email", text=ANGRY), account=cast.northwind)
    signals.record(signals.Observed(kind="email", text=ANGRY, at=now() - timedelta(days=200)), account=cast.northwind)
    inputs = health.known_inputs(cast.northwind)
    assert inputs.days_to_renewal == 34
    assert inputs.sentiment is not None
    assert len(inputs.sentiment) == 1
    assert inputs.sentiment[0] < -0.5


def test_the_score_is_kept_with_its_parts_and_the_reason(cast: Cast) -> None:
    inputs = replace(health.known_inputs(cast.northwind), open_escalations={"red": 1})
    found = health.refresh(account=cast.northwind, inputs=inputs)
    assert found is not None
    cast.northwind.refresh_from_db()
    assert cast.northwind.health == found.score
    assert cast.northwind.health_parts[0] == {"name": "summary", "why": found.sentence}
    assert "escalation" in worst_reason(cast.northwind)
    assert {"name": "usage", "points": None, "weight": 10, "why": "not known"} in cast.northwind.health_parts


def test_an_unchanged_score_writes_no_history(cast: Cast) -> None:
    inputs = health.known_inputs(cast.northwind)
    health.refresh(account=cast.northwind, inputs=inputs)
    before = cast.northwind.history.count()
    health.refresh(account=cast.northwind, inputs=inputs)
    assert cast.northwind.history.count() == before


def test_the_trend_comes_from_the_history_week_by_week(cast: Cast) -> None:
    history = Account.history.filter(id=cast.northwind.pk)
    history.update(history_date=now() - timedelta(weeks=5))
    cast.northwind.health = 41
    cast.northwind.save()
    trend = trends([cast.northwind.pk, cast.elsewhere.pk], now())
    assert list(trend) == [cast.northwind.pk]
    found = trend[cast.northwind.pk]
    assert (found.values[0], found.values[-1], found.change, found.points) == (62, 41, -21, 21)
