"""Versions of the authority matrix: drafts are edited, published ones are read and compared."""

from collections.abc import Callable, Iterable

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from approvals.admin.rows import ROWS, is_draft
from approvals.matrix import versions
from approvals.models import AuthorityVersion
from ledger.errors import Refused
from ledger.format import recorded
from ledger.now import now

SIGNS = {"+": "Added", "-": "Removed", "~": "Changed"}


class Staff(HttpRequest):
    """The admin's own view wrapper lets only staff through."""

    user: User


class PublishForm(forms.ModelForm):
    """The fields of a version itself."""

    class Meta:
        model = AuthorityVersion
        fields = ["note", "effective_from", "window_days"]
        help_texts = {
            "effective_from": "In force from this moment (UTC). Empty: from the moment it is published.",
            "window_days": (
                "Days back in which grants of the same concession are added up: over the account, its parent and all accounts "
                "below it, and over every account asked for on the same renewal."
            ),
        }


@admin.register(AuthorityVersion)
class AuthorityVersionAdmin(admin.ModelAdmin):
    """Drafts are made from the published version, edited here, and published by a second person."""

    form = PublishForm
    inlines = ROWS
    list_display = ["__str__", "state", "note", "author", "publisher", "effective_from"]
    list_select_related = ["author", "publisher"]
    fields = [
        *(
            "number",
            "state",
            "note",
            "effective_from",
            "window_days",
            "author",
            "based_on",
            "publisher",
            "published_at",
        ),
        *("changes", "problems"),
    ]
    readonly_fields = ["number", "state", "author", "based_on", "publisher", "published_at", "changes", "problems"]
    actions = ["publish"]
    change_list_template = "admin/approvals/authorityversion/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """One more address: make a draft."""
        own = path("new-draft/", self.admin_site.admin_view(self.new_draft), name="approvals_authorityversion_draft")
        return [own, *super().get_urls()]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> AuthorityVersion | None:
        """Locked while it is saved, so that a draft that is being published is not changed."""
        found: AuthorityVersion | None = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST":
            return found
        return AuthorityVersion.objects.select_for_update(of=("self",)).get(pk=found.pk)

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

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Iterable[BaseFormSet], change: bool
    ) -> None:
        """After saving, list what still prevents publishing."""
        super().save_related(request, form, formsets, change)
        for problem in versions.check(form.instance):
            self.message_user(request, f"Before publishing: {problem}", messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Drafts are made from the published version, never empty."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """A published version is read only."""
        return (obj is None or is_draft(obj)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AuthorityVersion | None = None) -> bool:
        """Only drafts can be deleted."""
        return is_draft(obj) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        """Deleting several versions at once is not offered, because it would not check each version."""
        return {name: each for name, each in super().get_actions(request).items() if name != "delete_selected"}

    @admin.action(description="Publish the chosen draft (a second person does)", permissions=["change"])
    def publish(self, request: Staff, chosen: QuerySet[AuthorityVersion]) -> None:
        """Publish from its date, or show the reason why not."""
        for version in chosen:
            try:
                start = version.effective_from
                # A date that has passed while the draft waited means now.
                start = start if start and start > now() else None
                done = versions.publish(version_id=version.pk, by=request.user, effective_from=start)
                self.message_user(request, f"{done} is published, in force from {recorded(done.effective_from)}.")
            except Refused as refusal:
                self.message_user(request, f"{version} was not published: {refusal.message}", messages.ERROR)

    @admin.display(description="Changes since the version it was made from")
    def changes(self, version: AuthorityVersion) -> SafeString | str:
        """The diff, one line a change."""
        found = versions.diff(version) if version.based_on_id else []
        return _lines([f"{SIGNS[each.sign]}. {each}" for each in found]) or "Nothing changes."

    @admin.display(description="What must be fixed before publishing")
    def problems(self, version: AuthorityVersion) -> SafeString | str:
        """The checks that run on publishing."""
        if not is_draft(version):
            return "It is published."
        return _lines(versions.check(version)) or "Nothing: the matrix has no gaps and no overlaps."


def _lines(lines: list[str]) -> SafeString | str:
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines))) if lines else ""
