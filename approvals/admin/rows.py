"""Rows of a version: edited while it is a draft, checked together when they are saved."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from approvals.matrix import drafts
from approvals.matrix.rules import chain_checks
from approvals.matrix.rules import limit_checks as matrix_checks
from approvals.models import (
    AuthorityLimit,
    AuthorityVersion,
    ChainRule,
    Committee,
    ConcessionType,
    ExceptionBand,
    QuarterCap,
)


def is_draft(version: AuthorityVersion | None) -> bool:
    """Whether its rows may change."""
    return version is not None and version.state == AuthorityVersion.DRAFT


class CheckedRows(BaseInlineFormSet):
    """Checks all rows of a kind together: a hole or an overlap is refused when it is saved, not when it is published."""

    def clean(self) -> None:
        """Refuse with every problem as text, if each row is valid by itself."""
        super().clean()
        if any(form.errors for form in self.forms):
            return
        if found := self.problems([form.instance for form in self.forms if self._stays(form)]):
            raise forms.ValidationError(found)

    def _stays(self, form: forms.ModelForm) -> bool:
        gone = self.can_delete and self._should_delete_form(form)  # type: ignore[attr-defined]
        return not gone and (form.has_changed() or form.instance.pk is not None) and _whole(form.instance)

    def problems(self, rows: list[Any]) -> list[str]:
        """The faults of these rows together."""
        raise NotImplementedError


def _whole(row: models.Model) -> bool:
    """Whether all required choices of the row were made."""
    try:
        return all(getattr(row, name) is not None for name in ("role", "concession") if _needs(row, name))
    except ObjectDoesNotExist:
        return False


def _needs(row: models.Model, name: str) -> bool:
    return any(field.name == name and not field.null for field in row._meta.concrete_fields)


class ConcessionRows(CheckedRows):
    """The amounts that may be decided by mail."""

    def problems(self, rows: list[ConcessionType]) -> list[str]:
        """Only concessions with an amount."""
        return chain_checks.check_mailed(drafts.mailed_of(row) for row in rows)


class LimitRows(CheckedRows):
    """The limits."""

    def problems(self, rows: list[AuthorityLimit]) -> list[str]:
        """Holes, overlaps and unknown names."""
        return matrix_checks.check_rows([drafts.row_of(row) for row in rows], drafts.known())


class BandRows(CheckedRows):
    """The exception bands."""

    def problems(self, rows: list[ExceptionBand]) -> list[str]:
        """Ranges by tier."""
        return chain_checks.check_bands(drafts.bands_of(rows), drafts.known())


class CapRows(CheckedRows):
    """Caps of a quarter."""

    def problems(self, rows: list[QuarterCap]) -> list[str]:
        """Whether the role has a limit is checked before publishing, because the limit may be added in the same step."""
        return chain_checks.check_caps(drafts.caps_of(rows, _as_limits(rows)), drafts.known())


def _as_limits(rows: Iterable[QuarterCap]) -> list[AuthorityLimit]:
    return [AuthorityLimit(role=row.role, concession=row.concession) for row in rows]


class CommitteeRows(CheckedRows):
    """Roles that decide together."""

    def problems(self, rows: list[Committee]) -> list[str]:
        """Quorums that can be reached. A committee without members is reported before publishing."""
        seats = [each for each in drafts.seats_of(rows) if each.holders]
        return chain_checks.check_seats(seats, drafts.known(), committees=True)


class FunctionRows(CheckedRows):
    """Functions that take part."""

    def problems(self, rows: list[ChainRule]) -> list[str]:
        """Roles that somebody holds, and quorums that can be reached."""
        return chain_checks.check_seats(drafts.seats_of(rows), drafts.known(), committees=False)


class DraftRows(admin.TabularInline):
    """Rows of a version: editable while it is a draft, for people who may change the version."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only to a draft."""
        return is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only on a draft."""
        return is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only from a draft."""
        return is_draft(obj) and super().has_delete_permission(request, obj)

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField | None:
        """Concessions of this version only."""
        if db_field.name == "concession":
            pk = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
            kwargs["queryset"] = ConcessionType.objects.filter(version_id=int(unquote(pk)) if pk else 0)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ConcessionInline(DraftRows):
    """The concessions."""

    model = ConcessionType
    formset = ConcessionRows
    verbose_name_plural = "concessions (save new ones before giving them limits)"
    prepopulated_fields = {}


class LimitInline(DraftRows):
    """The limits of roles."""

    model = AuthorityLimit
    formset = LimitRows
    verbose_name_plural = (
        "limits: who may grant how much. Of the rows of a role, the one with more conditions applies; with the same number, "
        "segment comes before region, region before currency, currency before ARR band. ARR bands and dates include their "
        "start and exclude their end"
    )


class BandInline(DraftRows):
    """The pre-approved ranges."""

    model = ExceptionBand
    formset = BandRows
    verbose_name_plural = "exception bands: granted by rule and logged, without an approver"


class CapInline(DraftRows):
    """The quarterly caps of roles."""

    model = QuarterCap
    formset = CapRows
    verbose_name_plural = (
        "quarter caps: the most a role may grant in a calendar quarter (UTC), over all accounts and holders. An ask beyond "
        "the cap goes to the next role. Yes-or-no concessions are counted"
    )


class CommitteeInline(DraftRows):
    """Roles whose holders decide together."""

    model = Committee
    formset = CommitteeRows
    verbose_name_plural = "committees: roles whose holders each have a vote. A share is rounded up"


class FunctionInline(DraftRows):
    """Functions that take part besides the authority."""

    model = ChainRule
    formset = FunctionRows
    verbose_name_plural = (
        "functions that take part: they approve before, at the same time as or after the authority, or are consulted and do "
        "not block. Requests keep the stages they were sent with"
    )


ROWS: list[type[admin.options.InlineModelAdmin]] = [
    ConcessionInline,
    LimitInline,
    BandInline,
    CapInline,
    CommitteeInline,
    FunctionInline,
]
