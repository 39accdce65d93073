"""The words by which a case is found."""

from collections.abc import Sequence

from django.db import models

from escalations.cases.models.escalation import Escalation, EscalationQuerySet
from ledger.models import SearchWords


class CaseWords(SearchWords):
    """The words by which a case is found."""

    case = models.OneToOneField(
        Escalation,
        primary_key=True,
        db_column="rowid",
        db_constraint=False,
        on_delete=models.CASCADE,
        related_name="words",
    )

    class Meta(SearchWords.Meta):
        pass

    @classmethod
    def owners(cls) -> EscalationQuerySet:
        """Cases with the names of their accounts."""
        return Escalation.objects.select_related("account").only("title", "issue", "root_cause", "account__name")

    @classmethod
    def texts(cls, owner: Escalation) -> tuple[Sequence[str], Sequence[str]]:
        """Its key, its title and the account; the issue and the root cause."""
        return (owner.key, owner.title, owner.account.name), (owner.issue, owner.root_cause)
