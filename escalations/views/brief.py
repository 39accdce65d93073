"""The brief: its form, one page on screen and as PDF, snapshots."""

from django.contrib import messages
from django.forms import BaseFormSet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.people import downloads
from accounts.signed_in import SignedIn
from approvals.pdf.printer import NoPdf
from escalations.cases import access, briefs
from escalations.cases import brief as briefing
from escalations.cases import files as case_files
from escalations.cases.queries import brief_page
from escalations.cases.rules.brief import BriefParts
from escalations.forms import brief as forms
from escalations.models import CaseFile, Escalation
from escalations.views.acting import done, submit
from escalations.views.loading import load_case, render_case
from ledger import reading
from ledger.errors import Invalid, Stale
from ledger.now import now


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedIn, key: str) -> HttpResponse:
    """The form of the eleven parts; each part has its own version."""
    case = load_case(request, key)
    if request.method == "POST":
        return _save(request, case)
    parts = briefs.current_parts(case, now())
    form = forms.BriefForm(initial=forms.initial_of(case, parts))
    return _form_page(request, case, form, forms.option_rows(parts["options"]))


@require_POST
def add_files(request: SignedIn, key: str) -> HttpResponse:
    """Attach files to the brief."""
    case = load_case(request, key)
    form = forms.FilesForm(request.POST, files=request.FILES, auto_id="add_%s")

    def add() -> None:
        case_files.add_to_brief(case_id=case.pk, by=request.user, files=form.cleaned_data["files"])

    if status := submit(request, form, add):
        parts = briefs.current_parts(case, now())
        brief = forms.BriefForm(initial=forms.initial_of(case, parts))
        return _form_page(request, case, brief, forms.option_rows(parts["options"]), {"file_form": form}, status)
    return done(request, case, "Files added to the brief.", "escalations:brief")


def _save(request: SignedIn, case: Escalation) -> HttpResponse:
    form, rows = forms.BriefForm(request.POST), forms.option_rows([], request.POST)
    if not all([form.is_valid(), rows.is_valid()]):
        return _form_page(request, case, form, rows, status=422)
    texts, options = form.texts(), forms.options_of(rows, form)
    try:
        briefing.save_parts(case_id=case.pk, by=request.user, texts=texts, options=options, versions=form.versions())
    except Invalid as refusal:
        form.add_error(None, refusal.message)
        return _form_page(request, case, form, rows, status=refusal.status)
    except Stale as refusal:
        return _conflict(request, case, form, rows, refusal)
    messages.success(request, "Brief saved.")
    return redirect("escalations:brief", case.key)


def _conflict(
    request: SignedIn, case: Escalation, form: forms.BriefForm, rows: "BaseFormSet[forms.OptionForm]", refusal: Stale
) -> HttpResponse:
    """Both texts of every part that another person wrote meanwhile; the form keeps the typed text and can be saved
    again."""
    saved, seen, versions = briefs.current_parts(case, now()), form.versions(), forms.versions_of(case)
    newer = [part for part, version in versions.items() if version != seen[part]]
    typed: BriefParts = {**saved, "texts": form.texts(), "options": forms.options_of(rows, form)}
    both = brief_page.compare(saved, typed)
    seen_now = {f"seen_{part}": versions[part] for part in newer}
    form.data = {name: form.data[name] for name in form.data} | seen_now
    context: dict[str, object] = {
        "conflict": refusal.message,
        "both": [row for row in both if row.part in newer and row.changed],
    }
    return _form_page(request, case, form, rows, context, status=refusal.status)


def _form_page(
    request: SignedIn,
    case: Escalation,
    form: forms.BriefForm,
    rows: "BaseFormSet[forms.OptionForm]",
    context: dict[str, object] | None = None,
    status: int = 200,
) -> HttpResponse:
    parts = briefs.current_parts(case, now())
    snapshots = list(case.brief_snapshots.defer("parts").order_by("-number"))
    last = list(case.brief_snapshots.order_by("-number")[:1])
    number, is_draft = brief_page.version_of(parts, last)
    written = max((row.at for row in case.brief_parts.all()), default=None)
    options = forms.numbered(rows, form)
    page = {
        "form": form,
        "rows": rows,
        "options": options,
        "spare_options": any(each.spare for each in options),
        "parts": parts,
        "overview": brief_page.overview(parts),
        "snapshots": snapshots,
        "files": case.files.filter(place=CaseFile.BRIEF).to_show(),
        "file_form": forms.FilesForm(auto_id="add_%s"),
        "number": number,
        "is_draft": is_draft,
        "written_at": written,
    }
    return render_case(request, case, "brief", "escalations/brief.html", {**page, **(context or {})}, status=status)


@require_safe
def page(request: SignedIn, key: str) -> HttpResponse:
    """The brief on one page, for the screen and for printing."""
    case = load_case(request, key)
    return render(request, "escalations/brief_page.html", _sheet(request, case))


@require_safe
def pdf(request: SignedIn, key: str) -> HttpResponse:
    """The same page as a PDF. The download is logged; nothing else changes."""
    case = load_case(request, key)
    context = _sheet(request, case)
    try:
        content = briefs.pdf(context)
    except NoPdf:
        messages.warning(request, "This server cannot make PDFs. Print this page instead.")
        return redirect("escalations:brief_page", case.key)
    name = f"{case.key}-brief-v{context['number']}.pdf"
    downloads.note(user=request.user, what=f"Brief {name}")
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _sheet(request: SignedIn, case: Escalation) -> dict[str, object]:
    """The current sheet, or that of the snapshot in ?version=."""
    at, wanted = now(), request.GET.get("version", "")
    if wanted:
        kept = get_object_or_404(case.brief_snapshots, number=reading.number(wanted))
        frozen = brief_page.frozen_sheet(case, kept.parts)
        return {**frozen, "number": kept.number, "moment": kept.at, "is_draft": False, "frozen": True, "most": 10_000}
    parts = briefs.current_parts(case, at)
    number, is_draft = brief_page.version_of(parts, list(case.brief_snapshots.order_by("-number")[:1]))
    sheet = brief_page.sheet(case, parts, at)
    can = {"may_edit": access.abilities(case, request.user)["brief"]}
    return {**sheet, **can, "number": number, "moment": at, "is_draft": is_draft, "at": at, "most": 10_000}


@require_safe
def snapshot(request: SignedIn, key: str, number: int) -> HttpResponse:
    """A frozen version beside the current brief."""
    case = load_case(request, key)
    kept = get_object_or_404(case.brief_snapshots, number=number)
    rows = brief_page.compare(kept.parts, briefs.current_parts(case, now()))
    frozen = {each["id"] for each in kept.parts.get("files", [])}
    files = case.files.filter(place=CaseFile.BRIEF).to_show()
    context = {
        "snapshot": kept,
        "compared": rows,
        "changed": sum(row.changed for row in rows),
        "files": [each for each in files if each.pk in frozen],
        "later_files": [each for each in files if each.pk not in frozen],
    }
    return render_case(request, case, "brief", "escalations/brief_snapshot.html", context)
