"""Pages of lists: one rule for the size of API pages, and pages that are read quickly however deep they are."""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, OrderBy, QuerySet
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.views import APIView

Row = TypeVar("Row", bound=Model)
Found: TypeAlias = QuerySet[Any] | Sequence[Any]  # of rows or of ids
IDS = {"pk", "-pk", "id", "-id"}


class ListPaginator(Paginator):
    """Pages of any list. A queryset gets the id as the last column of its order, so that no row is on two pages or on none."""

    def __init__(self, found: Found, per_page: int) -> None:
        super().__init__(in_total_order(found), per_page)


class DeepPaginator(ListPaginator):
    """Pages of a queryset. The ids of a page are found first, from the nearer end of the list; then its rows are read by them.

    `found`: the queryset, or the ids if all of them were read. `rows`: the queryset that reads the rows, with the relations to
    show and without the conditions, which the ids satisfy. `count`: the length of the list, if it is known.
    """

    def __init__(
        self,
        found: QuerySet[Row] | Sequence[int],
        per_page: int,
        *,
        rows: QuerySet[Row],
        count: int | None = None,
    ) -> None:
        super().__init__(found, per_page)
        self.rows = rows
        if count is not None:
            self.count = count

    def page(self, number: int | str) -> Page:
        """The page. Raises InvalidPage, as Django's paginator does."""
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        return Page(self._read(start, min(start + self.per_page, self.count)), number, self)

    def _read(self, start: int, end: int) -> Sequence[Model]:
        ids = self._ids(start, end)
        rows = self.rows.in_bulk(ids)
        return [rows[pk] for pk in ids]

    def _ids(self, start: int, end: int) -> list[int]:
        if not isinstance(self.object_list, QuerySet):
            return list(self.object_list[start:end])
        keys = self.object_list.values_list("pk", flat=True)
        if start > self.count // 2:
            return list(keys.reverse()[self.count - end : self.count - start])[::-1]
        return list(keys[start:end])


def in_total_order(found: Found) -> Found:
    """A queryset with the id as the last column of its order; anything else as it is."""
    if not isinstance(found, QuerySet) or found.query.combinator:
        return found
    order = tuple(found.query.order_by or found.model._meta.ordering or ())
    return found if IDS.intersection(map(_column, order)) else found.order_by(*order, "pk")


def _column(key: object) -> str:
    """The column of a key of an order, or "" if it is an expression."""
    if isinstance(key, OrderBy):
        key = key.expression
    return key if isinstance(key, str) else str(getattr(key, "name", ""))


class Pages(PageNumberPagination):
    """50 a page, at most 200 when asked. A view that has `shown_rows`, a queryset, reads its pages as DeepPaginator does; with
    `count_rows` it counts its list itself."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def paginate_queryset(self, queryset: Found, request: Request, view: APIView | None = None) -> list[Any] | None:
        """The rows of the wanted page."""
        self.django_paginator_class = ListPaginator
        rows = getattr(view, "shown_rows", None)
        if rows is not None and isinstance(queryset, QuerySet) and queryset.model is rows.model:
            counted = getattr(view, "count_rows", lambda: None)()
            self.django_paginator_class = partial(DeepPaginator, rows=rows, count=counted)  # type: ignore[assignment]  # it is only called
        return super().paginate_queryset(queryset, request, view)
