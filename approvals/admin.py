"""The authority matrix as drafts, and the record of decisions, which nobody edits."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from approvals.models import (
    ApprovalRequest,
    ApprovalStep,
    AuthorityLimit,
    AuthorityVersion,
    ConcessionType,
    DecisionEntry,
    ExceptionBand,
)
from approvals.services import versions
from ledger.errors import Refused
from ledger.now import now

SIGNS = {"+": "Added", "-": "Removed", "~": "Changed"}


class Staff(HttpRequest):
    """The admin's own view wrapper lets only staff through."""

    user: User


class DraftRows(admin.TabularInline):
    """Rows of a version: editable while it is a draft, for people who may change the version."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only to a draft."""
        return _is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only on a draft."""
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only from a draft."""
        return _is_draft(obj) and super().has_delete_permission(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Concessions of this version only."""
        if db_field.name == "concession":
            pk = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
            kwargs["queryset"] = ConcessionType.objects.filter(version_id=int(unquote(pk)) if pk else 0)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ConcessionInline(DraftRows):
    """What can be asked of us."""

    model = ConcessionType
    verbose_name_plural = "concessions (save new ones before giving them limits)"
    prepopulated_fields = {}


class LimitInline(DraftRows):
    """How much a role may grant."""

    model = AuthorityLimit
    verbose_name_plural = "limits: who may grant how much. A row for a segment or an ARR band beats the row for all"


class BandInline(DraftRows):
    """What is granted by rule."""

    model = ExceptionBand
    verbose_name_plural = "exception bands: granted by rule and logged, without an approver"


def _is_draft(version: AuthorityVersion | None) -> bool:
    return version is not None and version.state == AuthorityVersion.DRAFT


class PublishForm(forms.ModelForm):
    """The two things a person writes on a version."""

    class Meta:
        model = AuthorityVersion
        fields = ["note", "effective_from"]
        help_texts = {"effective_from": "In force from this moment (UTC). Empty: from the moment it is published."}


@admin.register(AuthorityVersion)
class AuthorityVersionAdmin(admin.ModelAdmin):
    """Drafts are made from the published version, edited here, and published by a second person."""

    form = PublishForm
    inlines = [ConcessionInline, LimitInline, BandInline]
    list_display = ["__str__", "state", "note", "author", "publisher", "effective_from"]
    list_select_related = ["author", "publisher"]
    fields = [
        *("number", "state", "note", "effective_from", "author", "based_on", "publisher", "published_at"),
        *("changes", "problems"),
    ]
    readonly_fields = ["number", "state", "author", "based_on", "publisher", "published_at", "changes", "problems"]
    actions = ["publish"]
    change_list_template = "admin/approvals/authorityversion/change_list.html"

    def get_urls(self) -> list[Any]:
        """One more address: make a draft."""
        own = path("new-draft/", self.admin_site.admin_view(self.new_draft), name="approvals_authorityversion_draft")
        return [own, *super().get_urls()]

    def new_draft(self, request: Staff) -> HttpResponse:
        """A draft with the rows of the version in force. POST only."""
        back = reverse("admin:approvals_authorityversion_changelist")
        if request.method != "POST" or not super().has_add_permission(request):
            return redirect(back)
        try:
            draft = versions.clone_draft(by=request.user)
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return redirect(back)
        return redirect("admin:approvals_authorityversion_change", draft.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Drafts are made from the published version, never from nothing."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """A published version is only read."""
        return (obj is None or _is_draft(obj)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only drafts can be thrown away."""
        return _is_draft(obj) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting many at once is not offered: it would not ask each version."""
        return {name: each for name, each in super().get_actions(request).items() if name != "delete_selected"}

    @admin.action(description="Publish the chosen draft (a second person does)", permissions=["change"])
    def publish(self, request: Staff, chosen: QuerySet[AuthorityVersion]) -> None:
        """Publish by its date, or say in words why not."""
        for version in chosen:
            try:
                start = version.effective_from
                # A date that has passed while the draft waited means: now.
                start = start if start and start > now() else None
                done = versions.publish(version_id=version.pk, by=request.user, effective_from=start)
                self.message_user(
                    request, f"{done} is published, in force from {done.effective_from:%Y-%m-%d %H:%M} UTC."
                )
            except Refused as refusal:
                self.message_user(request, f"{version} was not published: {refusal.message}", messages.ERROR)

    @admin.display(description="Changes against the version it was made from")
    def changes(self, version: AuthorityVersion) -> SafeString | str:
        """The diff, one line a change."""
        found = versions.diff(version) if version.based_on_id else []
        return _lines([f"{SIGNS[each.sign]}. {each}" for each in found]) or "Nothing changes."

    @admin.display(description="What must be put right before publishing")
    def problems(self, version: AuthorityVersion) -> SafeString | str:
        """The checks that run on publishing."""
        return _lines(versions.check(version)) or "Nothing: the matrix has no hole and no overlap."


def _lines(lines: list[str]) -> SafeString | str:
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines))) if lines else ""


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
