"""What people do with a customer's message: move it, add its sender, answer what came back, file what was set aside."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.signed_in import SignedIn
from escalations.cases import closing, conversation
from escalations.cases import inbound as listening
from escalations.cases.queries import messages as said
from escalations.models import Escalation
from escalations.views.loading import load_case
from ledger.reading import number
from messaging.models import InboundMail


@require_POST
def move(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """Move a message to another case of the account."""
    case = load_case(request, key)
    message = get_object_or_404(case.customer_messages, pk=pk)
    to = get_object_or_404(Escalation.objects.visible_to(request.user, few=True), pk=number(request.POST.get("to")))
    conversation.move(message_id=message.pk, by=request.user, to=to)
    messages.success(request, f"The message is on {to.key} now. Both histories say so.")
    return redirect("escalations:case", to.key)


@require_POST
def add_contact(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """Make the sender of a message a contact of the account."""
    case = load_case(request, key)
    message = get_object_or_404(case.customer_messages, pk=pk)
    contact = conversation.add_contact(message_id=message.pk, by=request.user)
    messages.success(request, f"{contact.name} is a contact of {case.account.name} now.")
    return redirect("escalations:case", key)


@require_POST
def reopen(request: SignedIn, key: str) -> HttpResponse:
    """Reopen a case on which the customer wrote again."""
    case = load_case(request, key)
    closing.reopen(case_id=case.pk, by=request.user, reason="The customer wrote again.")
    messages.success(request, f"{case.key} is open again.")
    return redirect("escalations:case", key)


@require_POST
def nothing(request: SignedIn, key: str) -> HttpResponse:
    """What came back needs nothing; the case stays as it is."""
    case = load_case(request, key)
    conversation.nothing_to_do(case_id=case.pk, by=request.user)
    messages.success(request, f"{case.key} stays {case.get_state_display().lower()}. Its history says who looked.")
    return redirect("escalations:case", key)


@require_POST
def file_mail(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """File a mail that was set aside as automatic on the case."""
    case = load_case(request, key)
    mail = get_object_or_404(InboundMail, pk=pk, state=InboundMail.AUTOMATIC)
    listening.file_on(mail=mail, case=case, by=request.user)
    messages.success(request, f"“{mail}” is on {case.key} now.")
    return redirect("escalations:case", key)


@require_safe
def unopened(request: SignedIn) -> HttpResponse:
    """Customers' messages that nobody has opened, the oldest first, and those that were placed by guess."""
    rows, guessed = said.unopened(request.user), said.guessed(request.user)
    return render(request, "escalations/unopened.html", {"rows": rows, "guessed": guessed})
