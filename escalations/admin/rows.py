"""The rows of a policy draft as inlines: open to its author, read-only for everybody else."""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseInlineFormSet, ModelChoiceField, ModelForm
from django.http import HttpRequest
from django.utils.timezone import get_current_timezone

from escalations.admin.access import OperationsOnly, is_operations
from escalations.clocks.queries import Preview
from escalations.clocks.rules.factors import Factor
from escalations.models import (
    Cadence,
    HealthScore,
    IssueType,
    Level,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TargetFactor,
    Tier,
    TriggerRule,
)
from escalations.policy.rows import plain_target
from escalations.policy.rules import target_checks
from ledger.format import moment
from ledger.now import now


def may_edit(request: HttpRequest, version: models.Model | None) -> bool:
    """A draft is edited by its author alone; a second person publishes it."""
    if not isinstance(version, PolicyVersion) or version.state != PolicyVersion.DRAFT:
        return False
    return is_operations(request) and version.author_id == request.user.pk


class Rows(OperationsOnly, admin.TabularInline):
    """Rows of one kind. `obj` is the version they belong to."""

    extra = 0
    classes = ["collapse"]

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Only in a draft, by its author."""
        return may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Only in a draft, by its author."""
        return may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Only in a draft, by its author."""
        return may_edit(request, obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[models.Model]:
        """With the roles and calendars of each row."""
        relations = [field.name for field in self.opts.concrete_fields if field.is_relation and field.name != "version"]
        return super().get_queryset(request).select_related(*relations)

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        """One query for all rows and inlines: the choices are kept for the request."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name != "version":
            kept: dict[tuple[object, bool], list[tuple[object, str]]] = request.__dict__.setdefault(
                "_policy_choices", {}
            )
            key = db_field.related_model, field.empty_label is None
            if key not in kept:
                kept[key] = list(cast("Iterable[tuple[object, str]]", field.choices))
            field.choices = kept[key]
        return field


class LevelRows(Rows):
    """The levels, from the lowest rank up."""

    model = Level


class TierRows(Rows):
    """The tiers."""

    model = Tier


class IssueTypeRows(Rows):
    """The issue types."""

    model = IssueType


class TriggerRows(Rows):
    """The triggers."""

    model = TriggerRule


class MatrixRows(Rows):
    """The escalation matrix."""

    model = MatrixRow


class TargetForm(ModelForm):
    """A target; further warnings as percents."""

    def clean_also_warn_at(self) -> str:
        """Whole percents in order, with the same spacing."""
        text, main = str(self.cleaned_data["also_warn_at"]), self.cleaned_data.get("warn_percent") or 0
        if problem := target_checks.warning_problem(text, main):
            raise ValidationError(problem)
        return ", ".join(word.strip() for word in text.split(",") if word.strip())


class TargetRows(Rows):
    """The targets, with the due time of each if it started now."""

    model = Target
    form = TargetForm
    readonly_fields = ("starting_now",)
    preview: Preview | None = None  # an inline exists only for its request

    def get_formset(
        self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any
    ) -> "type[BaseInlineFormSet]":
        """Calendars are read once for all rows."""
        self.preview = Preview(obj, now()) if isinstance(obj, PolicyVersion) else None
        return super().get_formset(request, obj, **kwargs)

    @admin.display(description="Starting now: due at")
    def starting_now(self, target: Target) -> str:
        """By the saved row, without factors, in the viewer's zone."""
        if target.pk is None or self.preview is None:
            return "Save to see it"
        due_at = self.preview.due_at(plain_target(target))
        if due_at is None:
            return "The calendar has no working time"
        return moment(due_at, get_current_timezone())


class FactorForm(ModelForm):
    """A factor with a range that is not empty."""

    def clean(self) -> dict[str, object]:
        """The same checks as before publishing, for one row."""
        values = super().clean() or self.cleaned_data
        if values.get("part") and values.get("percent") is not None:
            row = Factor(values["part"], values.get("from_value"), values.get("to_value"), values["percent"])
            for problem in target_checks.row_problems(row):
                self.add_error("percent" if "percent" in problem else "to_value", problem)
        return values


class FactorRows(Rows):
    """The factors of targets."""

    model = TargetFactor
    form = FactorForm
    verbose_name_plural = "target factors (dynamic targets)"


class StakeholderRows(Rows):
    """The stakeholders."""

    model = Stakeholder
    verbose_name_plural = "stakeholders (RACI)"


class CadenceRows(Rows):
    """The rhythms of updates."""

    model = Cadence


class WeightRows(Rows):
    """The weights of the score."""

    model = ScoreWeight
    verbose_name_plural = "score weights"


class HealthScoreRows(Rows):
    """Which health counts."""

    model = HealthScore
    max_num = 1
    verbose_name_plural = "health of accounts"


ALL: list[type[admin.options.InlineModelAdmin]] = [
    LevelRows,
    TierRows,
    IssueTypeRows,
    TriggerRows,
    MatrixRows,
    TargetRows,
    FactorRows,
    StakeholderRows,
    CadenceRows,
    WeightRows,
    HealthScoreRows,
]
