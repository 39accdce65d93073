"""Contacts of an account: add, correct."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.customers import contacts
from accounts.customers.contacts import Person
from accounts.forms import ContactForm
from accounts.models import Account, Contact
from accounts.views.viewers import viewer
from ledger.errors import NotAllowed, Refused

FORM_METHODS = require_http_methods(["GET", "HEAD", "POST"])
TYPED = ("name", "email")


@FORM_METHODS
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a contact. The address may bring the name and e-mail address of a person who wrote."""
    account = _account(request, pk)
    initial: dict[str, object] = {name: request.GET[name][:120] for name in TYPED if name in request.GET}
    form = ContactForm(request.POST if request.method == "POST" else None, initial=initial)
    return _page(
        request,
        account,
        form,
        "Add contact",
        lambda given: contacts.add(account_id=account.pk, by=viewer(request), given=given),
    )


@FORM_METHODS
def correct(request: HttpRequest, pk: int, contact: int) -> HttpResponse:
    """Correct a contact."""
    account = _account(request, pk)
    found = get_object_or_404(Contact, pk=contact, account=account)
    names = ("name", "email", "title", "language", "executive")
    form = ContactForm(
        request.POST if request.method == "POST" else None, initial={name: getattr(found, name) for name in names}
    )
    return _page(
        request,
        account,
        form,
        "Correct contact",
        lambda given: contacts.correct(contact_id=found.pk, by=viewer(request), given=given),
    )


def _account(request: HttpRequest, pk: int) -> Account:
    user = viewer(request)
    account = get_object_or_404(Account.objects.visible_to(user), pk=pk)
    if not contacts.may_keep(account, user):
        raise NotAllowed("Only the account's CSM and AE, their managers and operations change its contacts.")
    return account


def _page(
    request: HttpRequest, account: Account, form: ContactForm, head: str, save: Callable[[Person], Contact]
) -> HttpResponse:
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                kept = save(form.given())
            except NotAllowed:
                raise
            except Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
                status = refusal.status
            else:
                messages.success(request, f"{kept.name} is saved.")
                return redirect("accounts:detail", pk=account.pk)
    context = {"account": account, "form": form, "head": head}
    return render(request, "accounts/contact_form.html", context, status=status)
