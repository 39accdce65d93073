"""Who may see a case, as rows: computed from the case, its people, its hand-offs, its requests and its account.

Roles, dates and reporting lines are not among them. They are read with every query, so access ends with its date.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.lookups import Exact

from accounts.models import Role, User

FEW = 5000


class CaseAccess(models.Model):
    """One reason why a person sees a case. Written by `cases.access_rows` only; `rebuild_access` finds and mends differences.

    OWN and TEAM count for the person and for the leads of the person; NAMED and HANDED for the person alone.
    """

    # In this order, because a lead sees most cases by the first two, and a query ends with the first row that it finds.
    OWN, TEAM, NAMED, HANDED = 1, 2, 3, 4
    KINDS: ClassVar = [
        (OWN, "Owner or opener"),
        (TEAM, "CSM or AE of the account"),
        (NAMED, "Named on the case"),
        (HANDED, "Addressee of a hand-off or of a request"),
    ]
    # Without constraints in the database: the rows are computed from rows that have them, and their check would wait for the
    # lock of the case while an import holds that of the account.
    case = models.ForeignKey(
        "Escalation", on_delete=models.CASCADE, related_name="access", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.PositiveSmallIntegerField(choices=KINDS)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "kind", "user"], name="access_once")]
        indexes = [models.Index(fields=["user", "kind", "case"], name="access_of_person")]

    def __str__(self) -> str:
        return f"{self.user} sees {self.case_id}: {self.get_kind_display().lower()}"

    @classmethod
    def sees_few(cls, user: User) -> bool:
        """Whether the person sees so few cases that it is quicker to read them first than to ask for each case."""
        return user.sees in (Role.OWN, Role.FUNCTION) and not cls.objects.filter(user=user)[FEW:].exists()


def may_see(user: User, case: str = "", *, few: bool = False) -> Q:
    """The rows whose case this person may see. `case`: the path from the row to its case; empty for cases. `few`: the query
    reads few rows anyway, such as those of open cases or of one case; the answer is the same.

    Only the people named on a confidential case see it.
    """
    if user.is_superuser:
        return ~Q(pk__in=())
    confidential = f"{case}__confidential" if case else "confidential"
    hidden = ExpressionWrapper(OuterRef(confidential), BooleanField())
    rows = CaseAccess.objects.filter(case=OuterRef(case or "pk")).annotate(hidden=hidden)
    named = Q(user=user, kind=CaseAccess.NAMED)
    if user.sees == Role.ALL:
        return Q(**{confidential: False}) | _some(rows.filter(named, hidden=True))
    if user.sees == Role.TREE:
        # The sum keeps SQLite from looking up each of thousands of people for each case.
        led = Q(kind__in=(CaseAccess.OWN, CaseAccess.TEAM), person__in=user.tree)
        return _some(rows.annotate(person=F("user") + 0).filter(Q(led | Q(user=user), hidden=False) | named))
    own = Q(user=user)
    if user.sees == Role.FUNCTION:
        own &= Q(kind__in=(CaseAccess.OWN, CaseAccess.NAMED, CaseAccess.HANDED))
        if few:
            return _some(rows.filter(own).filter(Q(kind=CaseAccess.NAMED) | Q(hidden=False)))
    # From the person to the cases: few people outside of functions have many.
    cases = CaseAccess.objects.filter(own).values("case")
    return Q(Q(**{confidential: False}) | _some(rows.filter(named, hidden=True)), **{f"{case or 'pk'}__in": cases})


def _some(rows: QuerySet[CaseAccess]) -> Q:
    """Whether there is such a row. Asked for each case, while PostgreSQL would join an EXISTS and read all rows of the table
    for a lead."""
    return Q(Exact(Subquery(rows.values(one=Value(1))[:1]), 1))
