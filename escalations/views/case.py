"""The thread and the history of a case."""

from collections.abc import Iterable, Sequence

from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.signed_in import SignedIn
from approvals.models import ApprovalRequest
from escalations import exports, states
from escalations.cases import access, conversation
from escalations.cases.queries import messages as said
from escalations.cases.queries import thread as threads
from escalations.forms.thread import INTERNAL, ComposerForm
from escalations.models import Escalation
from escalations.views.loading import load_case, render_case
from ledger.form_options import Files
from ledger.now import now
from ledger.parameters import known, known_in_file, whole_number
from ledger.reading import number

REQUESTS_SHOWN = 20


@known(show=threads.SHOW, before=whole_number)
@require_safe
def thread(request: SignedIn, key: str) -> HttpResponse:
    """The thread: pinned status, composer, entries newest first."""
    return thread_page(request, load_case(request, key))


def thread_page(
    request: SignedIn, case: Escalation, form: ComposerForm | None = None, *, status: int = 200
) -> HttpResponse:
    """The thread with a composer, empty or with the typed text and the reason for its refusal."""
    show = request.GET.get("show", "all")
    if show not in threads.SHOW:
        raise Http404
    before = number(request.GET.get("before"))
    shown, older = threads.entries(case, request.user, show=show, before=before)
    newest, earlier = threads.unfolded(shown, before)
    can = access.abilities(case, request.user)
    may_tell = can["customer_update"]
    if request.method == "GET" and (unopened := said.unopened_of(shown)):
        conversation.mark_opened(unopened, by=request.user)
    movable = can["move_message"] and any(row.message and not row.message.moved_to_id for row in shown)
    context: dict[str, object] = {
        "form": form or composer(case, may_tell),
        "may_tell_customer": may_tell,
        "other_cases": said.other_cases(case, request.user) if movable else [],
        "came_back": not case.is_open and can["reopen"] and case.customer_messages.came_back().exists(),
        "takes_updates": case.state not in states.ENDED,
        "days": threads.by_day(newest),
        "earlier": threads.by_day(earlier),
        "earlier_count": len(earlier),
        "older": older,
        "before": before,
        "show": show,
        "shows": [(slug, label) for slug, (label, _) in threads.SHOW.items()],
        "today": now().astimezone(timezone.get_current_timezone()).date(),
    }
    return render_case(request, case, "thread", "escalations/thread.html", context, status=status)


def composer(
    case: Escalation, may_tell: bool, data: QueryDict | None = None, files: Files | None = None
) -> ComposerForm:
    """The composer. Without a time, the next update follows the policy."""
    return ComposerForm(data, files=files, case=case, may_tell_customer=may_tell, initial={"mode": INTERNAL})


@require_safe
def history(request: SignedIn, key: str) -> HttpResponse | StreamingHttpResponse:
    """The audit trail; `?format=csv` downloads it."""
    return _history_csv(request, key) if request.GET.get("format") == "csv" else _history_page(request, key)


@known(kind=threads.KINDS, before=whole_number, clock=whole_number, check=None)
def _history_page(request: SignedIn, key: str) -> HttpResponse:
    """With its fingerprints. Each view verifies the entries it shows and the end of the log, `?check=all` the whole log;
    `?clock=` shows one clock."""
    case = load_case(request, key)
    kind = request.GET.get("kind", "all")
    if kind not in threads.KINDS:
        raise Http404
    before, clock = number(request.GET.get("before")), number(request.GET.get("clock"))
    rows, older = threads.audit(case, kind=kind, before=before, clock=clock)
    check_all = request.GET.get("check") == "all"
    context = {
        "rows": rows,
        "older": older,
        "kind": kind,
        "kinds": [(slug, label) for slug, (label, _) in threads.KINDS.items()],
        "clock": get_object_or_404(case.clocks, pk=clock) if clock else None,
        "whole": check_all or len(rows) == case.log_count,
        "breaks": threads.breaks(case) if check_all else threads.breaks_shown(case, rows),
        "requests": ApprovalRequest.objects.filter(case_link__case=case).order_by("-pk")[:REQUESTS_SHOWN],
    }
    return render_case(request, case, "history", "escalations/history.html", context)


@known_in_file(format=("csv",))
def _history_csv(request: SignedIn, key: str) -> StreamingHttpResponse:
    case = load_case(request, key)
    events = case.events.select_related("text").order_by("seq").iterator(chunk_size=500)
    return csv_answer(f"{case.key}-history.csv", exports.EVENT_HEADER, (exports.event_row(event) for event in events))


def csv_answer(name: str, header: Sequence[str], rows: Iterable[exports.CsvRow]) -> StreamingHttpResponse:
    """A streamed CSV download."""
    lines = exports.csv_lines(header, rows)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
