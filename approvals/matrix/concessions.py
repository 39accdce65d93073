"""The concessions of the authority version in force, for triage."""

from datetime import datetime

from approvals.matrix.models import AuthorityVersion, ConcessionType


def is_money_back(slug: str, at: datetime) -> bool:
    """Whether the concession gives money back to the customer, as a refund or as a credit."""
    concessions = ConcessionType.objects.filter(version=AuthorityVersion.objects.current(at), slug=slug)
    return concessions.exclude(money_back="").exists()


def money_back_slug(at: datetime, kind: str = ConcessionType.REFUND) -> str:
    """The concession for this way of paying money back; '' if the matrix has none."""
    rows = ConcessionType.objects.filter(version=AuthorityVersion.objects.current(at), money_back=kind)
    return rows.values_list("slug", flat=True).first() or ""
