"""Suggestions for a field that chooses an account or a person."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.choosers import KINDS, LONGEST, TEXT, Shown, options
from accounts.signed_in import SignedIn
from ledger.reading import number

NAME_LENGTH = 60


@require_safe
def choose(request: SignedIn, kind: str) -> HttpResponse:
    """The rows of this person that a text finds; with `value` the field with that row chosen, with `empty` the search."""
    if kind not in KINDS:
        raise Http404
    name, field_id = request.GET.get("name", "")[:NAME_LENGTH], request.GET.get("id", "")[:NAME_LENGTH]
    rows = KINDS[kind].rows(request.user)
    if value := request.GET.get("value", ""):
        row = get_object_or_404(rows, pk=number(value))
        shown = Shown(kind, name, field_id, chosen=options([row])[0])
        return render(request, "accounts/chooser.html", {"c": shown})
    if "empty" in request.GET:
        return render(request, "accounts/chooser.html", {"c": Shown(kind, name, field_id)})
    text = request.GET.get(f"{name}{TEXT}", "").replace("\x00", "").strip()[:LONGEST]
    shown = Shown(kind, name, field_id, text=text, found=KINDS[kind].found(rows, text))
    return render(request, "accounts/_chooser_options.html", {"c": shown})
