"""Requests and the decision log, read only."""

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
        """Only verbs create records."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only verbs change records."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never deleted."""
        return False


class SeatInline(admin.TabularInline):
    """The people who are, were or will be asked."""

    model = Seat
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only verbs write seats."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only verbs write seats."""
        return False


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ReadOnly):
    """Requests, read only."""

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
    """Delegations. People name their stand-in on their profile; here an administrator can end one early."""

    actions = ["end_now"]
    list_display = ["user", "to", "starts_at", "ends_at", "ended_at", "source", "up_to_usd"]
    list_filter = ["source", "starts_at"]
    list_select_related = ["user", "to"]
    search_fields = ["user__name", "user__email", "to__name", "to__email"]

    @admin.action(description="End now", permissions=["view"])
    def end_now(self, request: HttpRequest, rows: QuerySet[Delegation]) -> None:
        """Decisions made under them stay; both people are notified. Delegations that are over do not change."""
        ended = 0
        for given in rows.filter(ended_at=None, ends_at__gt=now()):
            try:
                delegating.end(delegation_id=given.pk, by=request.user)  # type: ignore[arg-type]  # signed in
            except Refused as refusal:
                messages.error(request, f"{given}: {refusal.message}")
            else:
                ended += 1
        messages.success(request, f"Delegations ended: {ended}.")
