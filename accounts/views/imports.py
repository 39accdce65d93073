"""Imports, for operations: upload, match columns, check rows, run, result."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_q.tasks import async_task

from accounts.exports import problems_csv
from accounts.forms import MappingForm, UploadForm, field_label
from accounts.imports import runs as imports
from accounts.models import ImportRun, User
from accounts.views.viewers import viewer
from ledger.errors import NotAllowed, Refused
from ledger.parameters import known_in_file

RUNS_SHOWN = 50
PROBLEMS_SHOWN = 200
# Larger files are applied by the worker, and their rows are checked during the import.
INLINE_ROWS = 2000
CHECKED_ROWS = 20_000


@require_safe
def import_list(request: HttpRequest) -> HttpResponse:
    """Earlier and running imports."""
    runs = ImportRun.objects.visible_to(_operator(request)).select_related("by")[:RUNS_SHOWN]
    return render(request, "accounts/import_list.html", {"runs": runs})


@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: HttpRequest) -> HttpResponse:
    """Upload a file; it is kept, and nothing is written before the run is confirmed."""
    user = _operator(request)
    form = UploadForm(request.POST or None, files=request.FILES or None)
    if form.is_valid() and (run := _staged(form, user)):
        return redirect("accounts:import_run", pk=run.pk)
    return render(request, "accounts/import_new.html", {"form": form}, status=form.failed if form.is_bound else 200)


def _staged(form: UploadForm, user: User) -> ImportRun | None:
    values = form.cleaned_data
    try:
        return imports.stage(
            data=values["file"].read(),
            filename=values["file"].name,
            kind=values["kind"] or None,
            source=values["source"],
            default_currency=values["default_currency"],
            by=user,
        )
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else "file", refusal.message)
        form.failed = refusal.status
        return None


@require_http_methods(["GET", "HEAD", "POST"])
def import_run(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: matching and checking while it is staged, progress while it runs, the result when done."""
    run = _run(request, pk)
    if run.state != ImportRun.STAGED:
        template = "import_progress.html" if request.headers.get("HX-Request") else "import_result.html"
        return render(request, f"accounts/{template}", _result(run))
    form = MappingForm(request.POST or None, run=run)
    if form.is_valid() and _configured(form, run):
        return redirect("accounts:import_run", pk=run.pk)
    return render(request, "accounts/import_match.html", _matching(run, form), status=422 if form.is_bound else 200)


def _configured(form: MappingForm, run: ImportRun) -> bool:
    values = form.cleaned_data
    try:
        imports.configure(
            run=run,
            columns=values["columns"],
            default_currency=values["default_currency"],
            choices=form.chosen(),
        )
        if values["save_as"]:
            imports.save_mapping(run=run, name=values["save_as"])
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        return False
    return True


def _matching(run: ImportRun, form: MappingForm) -> dict[str, object]:
    missing = imports.missing_fields(run)
    date, amount = imports.open_questions(run)
    ready = not (missing or imports.needs_currency(run) or date or amount)
    found = imports.check(run=run, most=PROBLEMS_SHOWN) if ready and run.total <= CHECKED_ROWS else None
    saved = imports.fitting_mapping(kind=run.kind, headers=run.headers)
    return {
        "run": run,
        "form": form,
        "missing": [field_label(name) for name in missing],
        "needs_currency": imports.needs_currency(run),
        "unclear_date": date,
        "unclear_amount": amount,
        "preview": imports.preview(run),
        "cells_read": imports.cells_read(run) if ready else [],
        "ready": ready,
        "check": found,
        "good_rows": run.total - found.bad_rows if found else run.total,
        "saved": saved if saved and saved.columns == run.columns else None,
    }


def _result(run: ImportRun) -> dict[str, object]:
    bad = run.problems.values("row").distinct().count()
    return {
        "run": run,
        "bad_rows": bad,
        "problems": run.problems.all()[:PROBLEMS_SHOWN],
        "percent": round(100 * run.applied / run.total) if run.total else 100,
    }


@require_POST
def import_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Run a staged import or continue a stopped one; the worker applies large files."""
    run = _run(request, pk)
    if run.state == ImportRun.RUNNING:
        return redirect("accounts:import_run", pk=run.pk)
    if run.total > INLINE_ROWS:
        imports.begin(run=run)
        async_task("accounts.tasks.run_import", run.pk, task_name=f"Import {run.pk}")
    else:
        imports.apply(run=run)
    return redirect("accounts:import_run", pk=run.pk)


@require_POST
def import_stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a running import after its batch."""
    imports.stop(run=_run(request, pk))
    messages.info(request, "The import stops after this batch. Imported rows stay, and you can continue later.")
    return redirect("accounts:import_run", pk=pk)


@known_in_file()
@require_safe
def import_problems(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows that were not imported, as CSV."""
    run = _run(request, pk)
    answer = HttpResponse(problems_csv(run), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="import-{run.pk}-problems.csv"'
    return answer


def _run(request: HttpRequest, pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.visible_to(viewer(request)).select_related("by", "file"), pk=pk)


def _operator(request: HttpRequest) -> User:
    user = viewer(request)
    if not user.is_ops:
        raise NotAllowed("Only operations may import files. Ask an administrator for the role.")
    return user
