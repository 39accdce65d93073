"""Permissions in the admin of this app."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import User
from escalations.models import may_see


def is_operations(request: HttpRequest) -> bool:
    """Staff who hold the role PMO / operations or administrator, and superusers."""
    user = request.user
    return bool(isinstance(user, User) and user.is_active and user.is_staff and user.is_ops)


class OperationsOnly:
    """Operations may read; subclasses may allow more."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is listed on the start page."""
        return is_operations(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Lists and pages."""
        return is_operations(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody may add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody may change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody may delete."""
        return False


class ReadOnlyAdmin(OperationsOnly, admin.ModelAdmin):
    """Lists and pages of records. Verbs change cases, the admin never does."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    case_path = "case"  # the path from the row to its case; empty: the row is the case

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Only the people named on confidential cases see them, also in the admin."""
        return super().get_queryset(request).filter(may_see(request.user, self.case_path))  # type: ignore[arg-type]
