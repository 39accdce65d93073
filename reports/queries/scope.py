"""Which cases are counted: those a person may see, of one region or of all."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import BooleanField, Case, Count, QuerySet, When

from accounts.models import Account, Role, User
from escalations.models import Escalation, may_see
from reports.models import CaseFact
from reports.queries.measures import Joined, OneOf
from reports.rules.periods import Period


@dataclass(frozen=True)
class Scope:
    """The cases that are counted: those a person may see (None: all), of one region or of all."""

    user: User | None = None
    region: str = ""

    def within(self, period: Period) -> "Counted":
        """The facts in scope of a period and of the one before it."""
        return Counted(self, period)


@dataclass(frozen=True)
class Counted:
    """The facts in scope of two periods. Who may see a case and which region an account has are read when the figures are,
    never from the facts."""

    scope: Scope
    period: Period

    def narrow(self, facts: QuerySet[Any]) -> QuerySet[Any]:
        """Those of these rows that belong to a case in scope. At most two queries for any number of calls."""
        facts = self.visible(facts)
        return facts.filter(OneOf("account_id", self._accounts)) if self.scope.region else facts

    def visible(self, facts: QuerySet[Any]) -> QuerySet[Any]:
        """The same for all regions. At most one query for any number of calls."""
        hidden, shown = self._cases
        if shown is not None:
            return facts.filter(OneOf("case_id", shown))
        return facts.exclude(OneOf("case_id", hidden)) if hidden else facts

    def cases(self) -> QuerySet[CaseFact]:
        """Cases with a fact in one of the two periods, whoever may see them."""
        return CaseFact.objects.filter(
            last_on__gte=self.period.previous_start.date(), first_on__lt=self.period.end.date()
        ).order_by()

    @cached_property
    def _cases(self) -> tuple[str, str | None]:
        """The cases that may not be seen, or, if these are more, those that may be: a short list is searched faster."""
        user = self.scope.user
        if user is None or user.is_superuser:
            return "", None
        if user.sees == Role.ALL:
            # Only a confidential case can be hidden.
            secret = Escalation.objects.filter(confidential=True)
            shown = Escalation.objects.visible_to(user).filter(confidential=True)
            return _ids(secret.exclude(pk__in=shown.values("pk"))), None
        # Asked for each of these cases, so that a short period is cheap however many cases the person sees.
        seen = Case(When(may_see(user, "case"), then=True), default=False, output_field=BooleanField())
        parts = self.cases().annotate(seen=seen).values("seen").annotate(n=Count("pk"), ids=Joined("pk"))
        found = {row["seen"]: (row["n"], row["ids"]) for row in parts}
        (few, hidden), (many, named) = found.get(False, (0, "")), found.get(True, (0, ""))
        return (hidden, None) if few < many else ("", named)

    @cached_property
    def _accounts(self) -> str:
        return _ids(Account.objects.filter(region=self.scope.region))


def _ids(rows: QuerySet[Any]) -> str:
    """Their ids as one text, for `OneOf`."""
    return rows.order_by().aggregate(ids=Joined("pk"))["ids"] or ""
