"""Suggestions for text boxes in which a person types an account or a colleague."""

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.fields import MATCHES, named, options
from accounts.models import Account
from accounts.people.choosing import with_a_role
from accounts.views.viewers import viewer
from ledger.now import now

SHORTEST = 2


@require_safe
def account_names(request: HttpRequest) -> HttpResponse:
    """Names of accounts that the viewer may open and that hold the text, those that start with it first."""
    text = _typed(request)
    if len(text) < SHORTEST:
        return HttpResponse()
    seen = Account.objects.visible_to(viewer(request)).filter(name__icontains=text)
    names = list(seen.filter(name__istartswith=text).order_by("name").values_list("name", flat=True)[:MATCHES])
    if len(names) < MATCHES:
        others = seen.exclude(name__istartswith=text).order_by("name").values_list("name", flat=True)
        names += others[: MATCHES - len(names)]
    return HttpResponse(options(names))


@require_safe
def people_names(request: HttpRequest) -> HttpResponse:
    """People whose name or mail address holds the text."""
    text = _typed(request)
    if len(text) < SHORTEST:
        return HttpResponse()
    found = with_a_role(now()).filter(Q(name__icontains=text) | Q(email__istartswith=text))
    return HttpResponse(options([named(user) for user in found[:MATCHES]]))


def _typed(request: HttpRequest) -> str:
    """The text of the box; a box sends it under its own name."""
    typed = next(iter(request.GET.values()), "")
    return str(typed).replace("\x00", "").strip()[:100]
