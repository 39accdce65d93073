"""Hand-offs: the addressee answers, the owner hands over, anybody on the case escalates."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.signed_in import SignedIn
from escalations import states
from escalations.cases import access, duties, handoffs
from escalations.cases import escalate as escalating
from escalations.cases.briefs import gaps
from escalations.cases.queries import case_page
from escalations.forms.fields import CaseForm
from escalations.forms.handoffs import DutyForm, HandOverForm, LettersForm, NotesForm, RefuseForm
from escalations.models import Action, CasePerson, Clock, Escalation, HandOff
from escalations.views.acting import done, sent, submit
from escalations.views.loading import load_case, render_case
from ledger.errors import AlreadyDone
from ledger.format import counted
from ledger.now import now


def _load(case: Escalation, number: int) -> HandOff:
    people = case.handoffs.select_related("from_user", "to_user", "to_user__manager", "to_role", "brief")
    return get_object_or_404(people, number=number)


@require_safe
def answer_page(request: SignedIn, key: str, number: int) -> HttpResponse:
    """The hand-off to answer. Others may read it."""
    case = load_case(request, key)
    return _page(request, case, _load(case, number), RefuseForm())


def _page(request: SignedIn, case: Escalation, handoff: HandOff, form: CaseForm, status: int = 200) -> HttpResponse:
    actions = list(case.actions.filter(state__in=[Action.OPEN, Action.BLOCKED]))
    at = now()
    context = {
        "case": case,
        "handoff": handoff,
        "form": form,
        "asked": handoff.to_user_id == request.user.pk and handoff.state == HandOff.WAITING,
        "at": at,
        "open_actions": len(actions),
        "late_actions": sum(action.is_late(at) for action in actions),
        "running": case.clocks.filter(state=Clock.RUNNING).count(),
        "until_accepted": handoffs.until_accepted(case, handoff.duty),
        "past": case.clocks.filter(state=Clock.RUNNING, due_at__lte=at).count(),
    }
    return render(request, "escalations/handoff.html", context, status=status)


@require_POST
def accept(request: SignedIn, key: str, number: int) -> HttpResponse:
    """Take the duty. Pressing the button twice accepts once."""
    case = load_case(request, key)
    handoff = _load(case, number)
    try:
        handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=request.user)
    except AlreadyDone as refusal:
        handoff.refresh_from_db()
        if handoff.state != HandOff.ACCEPTED or handoff.to_user_id != request.user.pk:
            form = RefuseForm({})
            form.add_error(None, refusal.message)
            return _page(request, case, handoff, form, status=refusal.status)
    case.refresh_from_db()
    words = f"You accepted {case.key} as {handoff.get_duty_display().lower()}."
    missing = len(gaps(case, now())) if handoff.duty == CasePerson.OWNER and case.state == states.DIAGNOSING else 0
    if missing:
        words = f"{words} Fill {counted(missing, 'gap')} of the brief next."
        return done(request, case, words, "escalations:brief")
    return done(request, case, words)


@require_POST
def refuse(request: SignedIn, key: str, number: int) -> HttpResponse:
    """Refuse with a reason; the sender is notified."""
    case = load_case(request, key)
    handoff = _load(case, number)
    form = RefuseForm(request.POST)

    def refuse_it() -> None:
        handoffs.refuse(case_id=case.pk, handoff_id=handoff.pk, by=request.user, reason=form.cleaned_data["reason"])

    if status := submit(request, form, refuse_it):
        return _page(request, case, handoff, form, status)
    return done(request, case, "Refused. The sender is notified and the case goes to the next person.")


@require_http_methods(["GET", "HEAD", "POST"])
def reassign(request: SignedIn, key: str) -> HttpResponse:
    """Hand the owner duty to another person, with notes."""
    case, status = load_case(request, key), 200
    access.check(case, request.user, "hand_off")
    form = HandOverForm(sent(request))

    def hand_over() -> None:
        handoffs.reassign(case_id=case.pk, by=request.user, to=form.cleaned_data["to"], notes=form.notes())

    if request.method == "POST":
        status = submit(request, form, hand_over)
        if not status:
            said = f"Hand-off sent. {handoffs.until_accepted(case, CasePerson.OWNER)}"
            return done(request, case, said, "escalations:roles")
    context = {"form": form, "until_accepted": handoffs.until_accepted(case, CasePerson.OWNER)}
    return render_case(request, case, "roles", "escalations/handoff_new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def change_duty(request: SignedIn, key: str, duty: str) -> HttpResponse:
    """Ask another person to be decision authority, communication lead or scribe."""
    names = dict(CasePerson.DUTIES)
    if duty not in names:
        raise Http404("There is no such duty.")
    if duty == CasePerson.OWNER:
        return redirect("escalations:reassign", key)
    case, status = load_case(request, key), 200
    access.check(case, request.user, "roles")
    form = DutyForm(sent(request), duty=duty)

    def hand_over() -> None:
        to = form.cleaned_data["to"]
        handoffs.reassign(case_id=case.pk, by=request.user, to=to, notes=form.notes(), duty=duty)

    if request.method == "POST":
        status = submit(request, form, hand_over)
        if not status:
            return done(request, case, "Asked. Nothing changes until the person accepts.", "escalations:roles")
    lead = handoffs.until_accepted(case, duty)
    context = {"form": form, "head": f"Change the {names[duty].lower()}", "lead": lead, "button": "Ask the person"}
    return render_case(request, case, "roles", "escalations/people_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def letters(request: SignedIn, key: str) -> HttpResponse:
    """The RACI letters of the people on the case."""
    case, status = load_case(request, key), 200
    access.check(case, request.user, "roles")
    form = LettersForm(sent(request), people=case_page.people(case), version=case.version)
    if request.method == "POST":
        status = submit(
            request, form, lambda: duties.set_letters(case_id=case.pk, by=request.user, wanted=form.wanted())
        )
        if not status:
            return done(request, case, "RACI saved.", "escalations:roles")
    lead = "Exactly one person is Accountable. A duty is handed over on the roles page."
    context = {"form": form, "head": "RACI of this case", "lead": lead, "button": "Save"}
    return render_case(request, case, "roles", "escalations/people_form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def escalate(request: SignedIn, key: str) -> HttpResponse:
    """Send the case one level up, with notes."""
    case, status = load_case(request, key), 200
    access.check(case, request.user, "escalate")
    form, target = NotesForm(sent(request)), escalating.above(case)

    def go_up() -> None:
        escalating.escalate(case_id=case.pk, by=request.user, notes=form.notes())

    if request.method == "POST":
        status = submit(request, form, go_up)
        if not status:
            return done(request, case, f"{case.key} is escalated. Everyone on it is notified.", "escalations:roles")
    context = {"form": form, "target": _target(case, target), "escalates": True}
    return render_case(request, case, "roles", "escalations/handoff_new.html", context, status=status)


def _target(case: Escalation, target: tuple[int, str] | None) -> dict[str, object] | None:
    """The next level, role and person by the matrix."""
    if target is None:
        return None
    level, slug = target
    person = escalating.next_person(case, slug)
    return {
        "level": level,
        "level_name": case.policy.ladder.name(level),
        "role": Role.objects.filter(slug=slug).first(),
        "person": person,
        "now": next((each.user for each in case.people.all() if each.duty == CasePerson.AUTHORITY), None),
    }
