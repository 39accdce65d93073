"""Cases, decisions and a period for figures that are computed by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from reports.rules.periods import Period, read
from tests.reports.builders import Builder
from tests.support.cast import Cast

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def frozen() -> Iterator[datetime]:
    """It is noon on March 31, 2026."""
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def period() -> Period:
    """January to March 2026, compared with October to December 2025."""
    given = {"period": "custom", "from": "2026-01-01", "to": "2026-03-31"}
    return read(given, NOW)


@pytest.fixture
def build(cast: Cast) -> Builder:
    """Puts rows straight into the database."""
    return Builder(cast)


@pytest.fixture
def a_case(build: Builder) -> Callable[..., Any]:
    """A case; see Builder.case."""
    return build.case


@pytest.fixture
def a_decision(build: Builder) -> Callable[..., Any]:
    """A decision on a case; see Builder.decision."""
    return build.decision
