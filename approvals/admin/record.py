"""Requests and the decision log, to look things up: nobody edits them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry


class ReadOnly(admin.ModelAdmin):
    """A record: shown, never changed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made by the service only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Changed by the service only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never deleted."""
        return False


class StepInline(admin.TabularInline):
    """Who was asked."""

    model = ApprovalStep
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the service only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By the service only."""
        return False


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnly):
    """Requests, to look things up."""

    inlines = [StepInline]
    list_display = ["id", "account", "concession_name", "state", "requester", "approver", "deadline"]
    list_filter = ["state", "concession_name"]
    list_select_related = ["account", "requester", "approver"]
    search_fields = ["case_key", "account__name", "ask"]


@admin.register(DecisionEntry)
class DecisionEntryAdmin(ReadOnly):
    """The decision log."""

    list_display = ["request_id", "seq", "at", "kind", "actor", "channel", "role", "limit", "override"]
    list_filter = ["kind", "channel", "override"]
    list_select_related = ["actor"]
    search_fields = ["request__case_key", "actor__name"]
