"""The words by which cases are found, when their accounts change."""

from collections.abc import Collection

from escalations.models import CaseWords, Escalation
from ledger.search import index


def follow_accounts(*, account_ids: Collection[int]) -> None:
    """Index the cases of these accounts by the accounts' names of now. Call it inside the transaction that changed them."""
    cases = Escalation.objects.filter(account__in=account_ids).order_by("pk")
    index.write(CaseWords, list(cases.values_list("pk", flat=True)))
