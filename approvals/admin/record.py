"""Requests and the decision log, to look things up: nobody edits them."""

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, DecisionEntry, Delegation, Seat
from ledger.errors import Refused
from ledger.now import now


class ReadOnly(admin.ModelAdmin):
    """A record: shown, never changed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made by the service only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Changed by the service only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never deleted."""
        return False


class SeatInline(admin.TabularInline):
    """Who is, was or will be asked."""

    model = Seat
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By the service only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By the service only."""
        return False


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnly):
    """Requests, to look things up."""

    inlines = [SeatInline]
    list_display = ["id", "account", "concession_name", "state", "requester", "deadline"]
    list_filter = ["state", "concession_name"]
    list_select_related = ["account", "requester"]
    search_fields = ["case_key", "account__name", "ask"]


@admin.register(DecisionEntry)
class DecisionEntryAdmin(ReadOnly):
    """The decision log."""

    list_display = ["request_id", "seq", "at", "kind", "actor", "channel", "role", "limit", "override"]
    list_filter = ["kind", "channel", "override"]
    list_select_related = ["actor"]
    search_fields = ["request__case_key", "actor__name"]


@admin.register(Delegation)
class DelegationAdmin(ReadOnly):
    """Who stands in for whom. People name their stand-in on their profile; here one that must not go on is ended."""

    actions = ["end_now"]
    list_display = ["user", "to", "starts_at", "ends_at", "ended_at", "source", "up_to_usd"]
    list_filter = ["source", "starts_at"]
    list_select_related = ["user", "to"]
    search_fields = ["user__name", "user__email", "to__name", "to__email"]

    @admin.action(description="End now", permissions=["view"])
    def end_now(self, request: HttpRequest, rows: QuerySet[Delegation]) -> None:
        """What was decided under them stays; both people are notified. Those that are over stay as they are."""
        ended = 0
        for given in rows.filter(ended_at=None, ends_at__gt=now()):
            try:
                delegating.end(delegation_id=given.pk, by=request.user)  # type: ignore[arg-type]  # signed in
            except Refused as refusal:
                messages.error(request, f"{given}: {refusal.message}")
            else:
                ended += 1
        messages.success(request, f"Delegations ended: {ended}.")
