"""Cases and their records, read only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from escalations.admin.access import ReadOnlyAdmin
from escalations.models import Action, BriefSnapshot, CasePerson, Clock, Escalation, Event, HandOff, Review


@admin.register(Escalation)
class EscalationAdmin(ReadOnlyAdmin):
    """One row for each case."""

    case_path = ""
    list_display = ("key", "account", "title", "state", "tier", "level_name", "owner", "opened_at")
    list_filter = ("state", "tier", "level", "lane")
    list_select_related = ("account", "owner", "policy")
    search_fields = ("id", "title", "account__name", "issue", "root_cause")
    date_hierarchy = "opened_at"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Escalation], search_term: str
    ) -> tuple[QuerySet[Escalation], bool]:
        """As the search of the desk; `search_fields` only shows the search box."""
        return (queryset.matching(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    @admin.display(description="Level", ordering="level")
    def level_name(self, case: Escalation) -> str:
        """By the policy the case runs on."""
        return case.get_level_display()


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The thread and its history, in order."""

    list_display = ("at", "case", "seq", "kind", "audience", "actor", "summary")
    list_filter = ("audience", "kind")
    list_select_related = ("case", "case__account", "actor")
    search_fields = ("=case__id", "summary")


@admin.register(Clock)
class ClockAdmin(ReadOnlyAdmin):
    """All clocks, running or ended."""

    list_display = (
        "case",
        "kind",
        "generation",
        "state",
        "target_text",
        "started_at",
        "due_at",
        "breached_at",
        "parked",
    )
    list_filter = ("kind", "state", "parked")
    list_select_related = ("case", "case__account")
    search_fields = ("=case__id",)


@admin.register(HandOff)
class HandOffAdmin(ReadOnlyAdmin):
    """The hand-offs and their answers."""

    list_display = ("case", "number", "duty", "from_user", "to_user", "state", "sent_at", "answered_at")
    list_filter = ("state", "duty")
    list_select_related = ("case", "case__account", "from_user", "to_user")
    search_fields = ("=case__id",)


@admin.register(CasePerson)
class CasePersonAdmin(ReadOnlyAdmin):
    """Letters and duties on a case."""

    list_display = ("case", "user", "letter", "duty", "since", "accepted_at")
    list_filter = ("letter", "duty")
    list_select_related = ("case", "case__account", "user")
    search_fields = ("=case__id", "user__name")


@admin.register(Action)
class ActionAdmin(ReadOnlyAdmin):
    """The tracker."""

    list_display = ("case", "title", "owner", "due_at", "state", "execution", "proof")
    list_filter = ("state", "execution")
    list_select_related = ("case", "case__account", "owner")
    search_fields = ("=case__id", "title")


@admin.register(BriefSnapshot)
class BriefSnapshotAdmin(ReadOnlyAdmin):
    """The frozen briefs."""

    list_display = ("case", "number", "reason", "at")
    list_select_related = ("case", "case__account")
    search_fields = ("=case__id",)


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """The post-escalation reviews."""

    list_display = ("case", "state", "reviewer", "due_at", "root_cause", "signed_at")
    list_filter = ("state",)
    list_select_related = ("case", "case__account", "reviewer")
    search_fields = ("=case__id", "root_cause")
