"""Who may see a case, as rows: computed from the case, its people, its hand-offs, its requests and its account.

Roles, dates and reporting lines are not among them. They are read with every query, so access ends with its date.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Q
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import Role, User
from accounts.people.models import TREE

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
    path = case or "pk"
    sees = user.sees
    if sees == Role.SHARED:
        return Q(pk__in=())
    if sees == Role.TREE or (few and (sees == Role.FUNCTION or (sees == Role.ALL and case))):
        # Without joining the case: PostgreSQL would read all cases first, even for the latest few rows.
        return Q(_Seen(path, "" if case else "confidential", user))
    confidential = f"{case}__confidential" if case else "confidential"
    not_hidden = Q(**{confidential: False}) | Q(_Seen(path, confidential, user))
    if sees == Role.ALL:
        return not_hidden
    # From the person to the cases, of which few people outside of functions have many.
    own = CaseAccess.objects.filter(user=user)
    if sees == Role.FUNCTION:
        own = own.exclude(kind=CaseAccess.TEAM)
    return not_hidden & Q(**{f"{path}__in": own.values("case")})


class _Seen(Func):
    """Whether a row shows that the person sees the case, as far as the person's roles go. Without a path to it, the flag
    `confidential` is looked up.

    Written as SQL, because every page asks it several times, and Django takes ten times as long to put it together. Both
    databases look up the few rows of a case: PostgreSQL would join an EXISTS and read the whole table for a lead, and expects
    that few rows answer `= 1` but that most are not null; SQLite would look up each of the thousands of people led if it could
    use an index for them, hence `+ 0`.
    """

    output_field = BooleanField()

    def __init__(self, case: str, confidential: str, user: User) -> None:
        super().__init__(F(case), *([F(confidential)] if confidential else []))
        self.user = user

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, tuple[int, ...]]:  # type: ignore[override]
        """Numbers and the names of our own tables and columns; the ids of people are values."""
        case, *flags = (compiler.compile(each)[0] for each in self.source_expressions)
        hidden = flags[0] if flags else f"(SELECT c.confidential FROM escalations_escalation c WHERE c.id = {case})"  # noqa: S608
        me, sees, kinds = self.user.pk, self.user.sees, [kind for kind, _ in CaseAccess.KINDS]
        reasons, values = [f"a.user_id = %s AND a.kind = {CaseAccess.NAMED}"], [me]
        if sees == Role.TREE:
            led = f"a.kind IN ({CaseAccess.OWN}, {CaseAccess.TEAM}) AND a.user_id + 0 IN ({TREE})"
            reasons.append(f"({led} OR a.user_id = %s) AND NOT {hidden}")
            values += [me, me]
        elif sees != Role.ALL:
            if sees == Role.FUNCTION:
                kinds.remove(CaseAccess.TEAM)
            reasons.append(f"a.user_id = %s AND a.kind IN ({', '.join(map(str, kinds))}) AND NOT {hidden}")
            values.append(me)
        rows = f"SELECT 1 FROM escalations_caseaccess a WHERE a.case_id = {case} AND ({' OR '.join(reasons)})"  # noqa: S608
        seen = f"({rows} LIMIT 1) IS NOT NULL"
        return (f"(NOT {hidden} OR {seen})" if sees == Role.ALL and not flags else seen), tuple(values)
