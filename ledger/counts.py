"""Several counts in one statement."""

from typing import TypeVar

from django.db.models import IntegerField, Model, QuerySet, Subquery

Counted = TypeVar("Counted", bound=Model)


class RowCount(Subquery):
    """`SELECT COUNT(*)` over a whole query, as one column of another. With `most`, counting stops at `most` + 1."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()

    def __init__(self, queryset: QuerySet[Counted], *, most: int | None = None) -> None:
        rows = queryset.order_by().values("pk")
        super().__init__(rows if most is None else rows[: most + 1])
