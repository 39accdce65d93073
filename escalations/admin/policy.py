"""Policy versions: start a draft, edit it, see its changes and faults, publish it as a second person."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from escalations import states
from escalations.admin import rows
from escalations.admin.access import OperationsOnly, is_operations
from escalations.models import PolicyVersion
from escalations.policy import versions
from ledger.errors import Refused
from ledger.moments import MomentField

SIGNS = {"+": ("+", "Added"), "-": ("−", "Removed"), "~": ("±", "Changed")}
PAGE = "admin:escalations_policyversion_change"


class PublishForm(forms.Form):
    """Reason and time of publishing."""

    note = forms.CharField(label="Reason, goes on the record", max_length=300, required=False)
    effective_from = MomentField(
        label="In force from",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="In your time zone. Empty: at once.",
    )


@admin.register(PolicyVersion)
class PolicyVersionAdmin(OperationsOnly, admin.ModelAdmin):
    """The rules that cases follow, by version. Published rows never change."""

    list_display = ("number", "state", "note", "author", "publisher", "effective_from", "cases_on_it")
    list_select_related = ("author", "publisher")
    actions = None
    fields = ("note",)
    readonly_fields = (
        "number",
        "state",
        "author",
        "created_at",
        "based_on",
        "publisher",
        "published_at",
        "effective_from",
    )
    inlines = rows.ALL

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicyVersion]:
        """With the number of open cases on each version."""
        open_cases = Count("escalations", filter=Q(escalations__state__in=states.OPEN))
        return super().get_queryset(request).annotate(open_cases=open_cases)

    @admin.display(description="Open cases on it", ordering="open_cases")
    def cases_on_it(self, version: PolicyVersion) -> int:
        """They keep the version they were opened on."""
        return int(getattr(version, "open_cases", 0))

    def get_fields(self, request: HttpRequest, obj: PolicyVersion | None = None) -> tuple[str, ...]:
        """The reason can be changed in a draft; other fields are read only."""
        return ("note", *self.readonly_fields)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only the author may change a draft."""
        return rows.may_edit(request, obj)

    def save_model(self, request: HttpRequest, obj: PolicyVersion, form: forms.ModelForm, change: bool) -> None:
        """Before any row is written, check that it is still a draft of this author. Raises Refused, which becomes a
        page with the reason."""
        versions.locked_draft(obj.pk, by=request.user)  # type: ignore[arg-type]
        obj.save(update_fields=["note"])

    def get_urls(self) -> list[URLPattern]:
        """Besides the stock pages: start, publish, discard."""
        wrap = self.admin_site.admin_view
        own = [
            path("start/", wrap(require_POST(self.start_view)), name="escalations_policyversion_start"),
            path("<int:pk>/publish/", wrap(self.publish_view), name="escalations_policyversion_publish"),
            path("<int:pk>/discard/", wrap(require_POST(self.discard_view)), name="escalations_policyversion_discard"),
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Django's form with the changes and faults above it."""
        version = self.get_object(request, unquote(object_id))
        above = _overview(request, version) if version is not None and is_operations(request) else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **above})

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """A draft with the rows of the policy in force."""
        _must_be_operations(request)
        draft = versions.clone_draft(by=request.user)  # type: ignore[arg-type]
        messages.success(
            request, f"Draft {draft.number} started. It does not apply until a second person publishes it."
        )
        return HttpResponseRedirect(reverse(PAGE, args=[draft.pk]))

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Retire a draft."""
        _must_be_operations(request)
        version = versions.discard(version=get_object_or_404(PolicyVersion, pk=pk), by=request.user)  # type: ignore[arg-type]
        messages.success(request, f"Draft {version.number} discarded. Its rows can still be read.")
        return HttpResponseRedirect(reverse("admin:escalations_policyversion_changelist"))

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET shows the effects; POST publishes."""
        _must_be_operations(request)
        version = get_object_or_404(PolicyVersion.objects.select_related("author", "based_on"), pk=pk)
        form = PublishForm(request.POST or None, initial={"note": version.note})
        if form.is_valid() and _published(request, version, form):
            return HttpResponseRedirect(reverse(PAGE, args=[version.pk]))
        context = {
            **self.admin_site.each_context(request),
            **_overview(request, version),
            "title": f"Publish draft {version.number}",
            "form": form,
            "opts": self.opts,
            "original": version,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/escalations/policyversion/publish.html", context, status=status)


def _published(request: HttpRequest, version: PolicyVersion, form: PublishForm) -> bool:
    """Whether it was published; else the form says why not."""
    try:
        values = form.cleaned_data
        versions.publish(
            version=version,
            by=request.user,  # type: ignore[arg-type]
            note=values["note"],
            effective_from=values["effective_from"],
        )
    except Refused as error:
        form.add_error(error.field or None, error.message)
        return False
    messages.success(request, f"Policy version {version.number} is published. Open cases keep the version they run on.")
    return True


def _overview(request: HttpRequest, version: PolicyVersion) -> dict[str, object]:
    is_draft = version.state == PolicyVersion.DRAFT
    checks = versions.checks(version) if is_draft else []
    return {
        "version": version,
        "is_draft": is_draft,
        "is_author": version.author_id == request.user.pk,
        "changes": [(*SIGNS[change.sign], change) for change in versions.diff_to_base(version)],
        "checks": checks,
        "passed": sum(not check.problems for check in checks),
    }


def _must_be_operations(request: HttpRequest) -> None:
    if not is_operations(request):
        raise PermissionDenied
