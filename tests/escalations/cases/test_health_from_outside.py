"""A score of another system stays beside the computed one; the policy says which counts; opening and ending recompute."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.customers import accounts
from accounts.models import Account, Signal
from accounts.signals import record as signals
from escalations.cases import closing
from escalations.models import Commitment, HealthScore, PolicyVersion
from escalations.policy import versions
from escalations.triage import health
from ledger.now import now
from tests.escalations.cases.builders import opened
from tests.support.cast import Cast


def scores(account: Account) -> tuple[int | None, int | None]:
    """The score that counts and the one from outside."""
    account.refresh_from_db()
    return account.health, account.health_outside


def outside(cast: Cast, score: int | None) -> Account:
    """Another system writes the score of Northwind."""
    values: Any = {"health": score}
    source = cast.northwind
    account, _ = accounts.put(by=cast.admin, source=source.source, external_id=source.external_id, values=values)
    return account


def friendly(account: Account) -> None:
    """A signal that says little."""
    signals.record(signals.Observed(kind=Signal.NOTE, text="Quarterly call held."), account=account)


def test_a_signal_does_not_overwrite_the_score_from_outside(cast: Cast) -> None:
    account = outside(cast, 22)
    friendly(account)
    assert scores(account) == (22, 22)
    assert account.health_computed is not None
    assert account.health_computed > 22


def test_without_a_score_from_outside_the_computed_one_counts(cast: Cast) -> None:
    account = outside(cast, 22)
    friendly(account)
    account = outside(cast, None)
    assert scores(account) == (account.health_computed, None)


def test_the_policy_lets_the_computed_score_count(cast: Cast) -> None:
    HealthScore.objects.filter(version=PolicyVersion.objects.current(now())).update(counts=Account.COMPUTED)
    account = outside(cast, 22)
    friendly(account)
    assert scores(account) == (account.health_computed, 22)
    again = outside(cast, 30)
    assert scores(again) == (again.health_computed, 30)


@pytest.mark.both_databases
def test_opening_and_ending_a_case_recompute(cast: Cast) -> None:
    health.recompute(cast.northwind, at=now())
    cast.northwind.refresh_from_db()
    before = cast.northwind.health
    assert before is not None
    case = opened(cast)
    cast.northwind.refresh_from_db()
    during = cast.northwind.health
    assert during is not None
    assert during < before
    closing.withdraw(case_id=case.pk, by=cast.csm, reason="Not wanted")
    cast.northwind.refresh_from_db()
    assert cast.northwind.health == before


@pytest.mark.both_databases
def test_a_confidential_case_is_not_told_by_the_health_of_its_account(cast: Cast) -> None:
    health.recompute(cast.northwind, at=now())
    cast.northwind.refresh_from_db()
    before = (cast.northwind.health, cast.northwind.health_parts)
    case = opened(cast, confidential=True)
    case.clocks.update(breached_at=now())
    facts = {"account": cast.northwind, "owner": cast.csm, "due_on": now().date() - timedelta(days=1), "made_at": now()}
    Commitment.objects.create(case=case, text="A call", **facts)
    health.recompute(cast.northwind, at=now())
    cast.northwind.refresh_from_db()
    assert (cast.northwind.health, cast.northwind.health_parts) == before

    Commitment.objects.create(text="Of no case", **facts)
    opened(cast)
    cast.northwind.refresh_from_db()
    words = " ".join(part["why"] for part in cast.northwind.health_parts)
    assert "1 escalation open" in words
    assert "1 commitment overdue" in words


def test_a_draft_has_the_row_and_shows_its_change(cast: Cast) -> None:
    draft = versions.clone_draft(by=cast.admin)
    assert draft.healthscores.get().counts == Account.OUTSIDE
    draft.healthscores.update(counts=Account.COMPUTED)
    assert len(versions.diff_to_base(draft)) == 1
