"""Pages of messages, received mail and in-app notices."""

from django.conf import settings
from django.contrib import messages as flash
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.signed_in import SignedIn
from ledger.errors import Invalid, NotAllowed
from ledger.now import now
from ledger.pagination import ListPaginator
from ledger.parameters import known
from ledger.reading import number
from messaging import queries
from messaging.channels import registry
from messaging.forms import PreferencesForm
from messaging.inbound import receive as received
from messaging.inbound.rules.mail_auth import is_proven
from messaging.models import InboundMail, Message
from messaging.outbox import messages as sending
from messaging.outbox import notices
from messaging.outbox import preferences as choosing
from messaging.outbox.rules.secrets import masked

PAGE = 25
NOTICES_PAGE = 50
TEXT_SHOWN = 20_000
VIEW_OF = {
    Message.PARKED: "attention",
    Message.PENDING: "waiting",
    Message.SENT: "sent",
    Message.DROPPED: "dropped",
}


@known(view=queries.MESSAGE_VIEWS, page=None)
@require_safe
def outbox(request: SignedIn) -> HttpResponse:
    """Messages of one view; the first one is shown beside the list."""
    visible = queries.messages_for(request.user)
    counts = queries.message_counts(visible)
    view = request.GET.get("view", "")
    if view not in queries.MESSAGE_VIEWS:
        view = "attention" if counts["attention"] else "sent"
    return _messages_page(request, visible, counts, view)


@require_safe
def message(request: SignedIn, pk: int) -> HttpResponse:
    """One message with its attempts, beside the list of its view."""
    visible = queries.messages_for(request.user)
    chosen = get_object_or_404(visible, pk=pk)
    return _messages_page(request, visible, queries.message_counts(visible), VIEW_OF[chosen.state], chosen)


@require_POST
def retry(request: SignedIn, pk: int) -> HttpResponse:
    """Put a parked message back in the queue."""
    chosen = get_object_or_404(queries.messages_for(request.user), pk=pk)
    sending.retry(message=chosen, by=request.user)
    name = "The message" if queries.unreadable(request.user, [chosen]) else f"“{chosen.subject}”"
    flash.success(request, f"{name} is back in the queue and is sent within a minute.")
    return redirect("messaging:message", pk=pk)


@require_POST
def retry_failed(request: SignedIn) -> HttpResponse:
    """Put all parked messages back in the queue."""
    count = sending.retry_failed(by=request.user)
    flash.success(request, f"{count} {'message is' if count == 1 else 'messages are'} back in the queue.")
    return redirect("messaging:outbox")


@known(view=queries.MAIL_VIEWS, page=None)
@require_safe
def inbox(request: SignedIn) -> HttpResponse:
    """Received mail by state; waiting mail is the first view."""
    _only_operations(request.user, "Received mail is read by operations.")
    view = request.GET.get("view", "")
    view = view if view in queries.MAIL_VIEWS else InboundMail.WAITING
    counts = queries.mail_counts()
    rows = InboundMail.objects.filter(state=view).defer("text")
    page = ListPaginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "hidden": queries.unreadable_mail(request.user, list(page.object_list)),
        "view": view,
        "tabs": [(name, label, counts[name]) for name, label in queries.MAIL_VIEWS.items()],
    }
    return render(request, "messaging/inbox.html", context)


@require_safe
def inbound(request: SignedIn, pk: int) -> HttpResponse:
    """One received mail as plain text, with the possible actions."""
    _only_operations(request.user, "Received mail is read by operations.")
    mail = get_object_or_404(InboundMail.objects.select_related("raw", "handled_by"), pk=pk)
    wanted = request.GET.get("q", "")[:100]
    hidden = bool(queries.unreadable_mail(request.user, [mail]))
    context = {
        "hidden": hidden,
        "mail": mail,
        "words": masked(mail.visible_text),
        "recipients": [masked(str(address)) for address in mail.recipients],
        "text": masked(mail.text[:TEXT_SHOWN]) if mail.text.strip() != mail.visible_text.strip() else "",
        "cut": len(mail.text) > TEXT_SHOWN,
        "may_place": mail.state in received.PLACEABLE and not hidden,
        "may_dismiss": mail.state in received.DISMISSIBLE,
        "proven": is_proven(mail.single_from, mail.auth_results, settings.AUTHSERV_ID),
        "q_account": wanted,
        "accounts": queries.accounts_named(request.user, wanted),
    }
    return render(request, "messaging/inbound.html", context)


@require_POST
def dismiss(request: SignedIn, pk: int) -> HttpResponse:
    """Set a waiting mail aside."""
    _only_operations(request.user, "Only operations may dismiss mail.")
    mail = get_object_or_404(InboundMail, pk=pk)
    received.dismiss(mail=mail, by=request.user)
    name = "The mail" if queries.unreadable_mail(request.user, [mail]) else f"“{mail}”"
    flash.success(request, f"{name} is dismissed. It stays readable under Dismissed.")
    return redirect("messaging:inbox")


@known(view=("unread", "all"), page=None)
@require_safe
def notifications(request: SignedIn) -> HttpResponse:
    """A person's notices, grouped by case, unread first."""
    view = "unread" if request.GET.get("view") == "unread" else "all"
    rows = queries.notices_for(request.user, unread_only=view == "unread")
    page = ListPaginator(rows, NOTICES_PAGE).get_page(request.GET.get("page"))
    context = {
        "view": view,
        "page": page,
        "groups": queries.by_case(page.object_list, request.user),
        "unread": queries.unread_count(request.user),
    }
    return render(request, "messaging/notifications.html", context)


@require_POST
def notifications_read(request: SignedIn) -> HttpResponse:
    """Mark the given notices, or all, as read."""
    if request.POST.get("all"):
        notices.read(user=request.user)
        return redirect("messaging:notifications")
    ids = [found for value in request.POST.getlist("id") if (found := number(value)) is not None]
    if not ids:
        raise Invalid("Choose the notifications to mark as read.", field="id")
    notices.read(user=request.user, ids=ids)
    return redirect("messaging:notifications")


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: SignedIn) -> HttpResponse:
    """The notification settings of this person."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        hour = form.cleaned_data["digest_hour"]
        choosing.save(user=request.user, choices=form.choices(), digest_hour=hour)
        flash.success(request, "Saved. It applies to everything sent from now on.")
        return redirect("messaging:preferences")
    return render(request, "messaging/preferences.html", {"form": form}, status=422 if form.is_bound else 200)


def _messages_page(
    request: SignedIn, visible: QuerySet[Message], counts: dict[str, int], view: str, chosen: Message | None = None
) -> HttpResponse:
    leaves = all(channel.leaves() for channel in registry.registered())
    rows = visible.filter(queries.MESSAGE_VIEWS[view][1]).defer("text", "html")
    page = ListPaginator(rows, PAGE).get_page(request.GET.get("page"))
    asked_for, chosen = chosen is not None, chosen or next(iter(page.object_list), None)
    hidden = queries.unreadable(request.user, [*page.object_list, *([chosen] if chosen else [])])
    context = {
        "hidden": hidden,
        "view": view,
        "asked_for": asked_for,
        "tabs": [(name, queries.view_label(name, leaves=leaves), counts[name]) for name in queries.MESSAGE_VIEWS],
        "counts": counts,
        "page": page,
        "chosen": chosen,
        "pieces": _readable(chosen, request.user) if chosen and chosen.pk not in hidden else [],
        "deliveries": list(chosen.deliveries.all()) if chosen else [],
        "outage": queries.outage(),
        "pulse": queries.pulse(visible, now()),
        "leaves": leaves,
        "is_ops": request.user.is_ops,
        "received": sum(queries.mail_counts().values()) if request.user.is_ops else None,
    }
    return render(request, "messaging/outbox.html", context)


def _readable(message: Message, reader: User) -> list[tuple[str, str]]:
    """The links of a mail work for its recipient; others see plain text, without the links that allow a decision."""
    return queries.linked(message.text) if message.user_id == reader.pk else [(masked(message.text), "")]


def _only_operations(user: User, sentence: str) -> None:
    if not user.is_ops:
        raise NotAllowed(sentence)
