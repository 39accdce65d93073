"""Signals and imports, read only."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from accounts.models import ImportMapping, ImportProblem, ImportRun, Signal


class ReadOnly:
    """Read only."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(Signal)
class SignalAdmin(ReadOnly, admin.ModelAdmin):
    """Signals of accounts."""

    list_display = ["at", "account", "kind", "tone", "sentiment", "source", "logged_by"]
    list_filter = ["kind", "tone", "source"]
    list_select_related = ["account", "logged_by"]
    search_fields = ["account__name", "text", "external_id"]
    date_hierarchy = "at"


class ProblemInline(ReadOnly, admin.TabularInline):
    """Rows that were not imported."""

    model = ImportProblem
    fields = ["row", "ref", "column", "value", "reason"]
    extra = 0
    max_num = 0


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnly, admin.ModelAdmin):
    """Uploaded files. The Imports page runs them."""

    inlines = [ProblemInline]
    list_display = ["filename", "kind", "source", "state", "total", "created", "updated", "unchanged", "by", "at"]
    list_filter = ["kind", "state", "source"]
    list_select_related = ["by"]


@admin.register(ImportMapping)
class ImportMappingAdmin(ReadOnly, admin.ModelAdmin):
    """Remembered column mappings; the Imports page saves them."""

    list_display = ["name", "kind", "default_currency", "saved_at"]
    list_filter = ["kind"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A mapping that no longer fits may be removed."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
