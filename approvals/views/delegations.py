"""Delegating one request, and stand-ins."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.signed_in import SignedIn
from approvals.absence import delegations as delegating
from approvals.absence import feeds as calendars
from approvals.absence import stand_ins as standins
from approvals.forms import DelegateForm, DelegationForm, FeedForm
from approvals.models import CalendarFeed
from approvals.views.decisions import load, show
from ledger.errors import Refused
from ledger.now import now


@require_POST
def delegate(request: SignedIn, pk: int) -> HttpResponse:
    """Delegate one request."""
    approval = load(request, pk)
    form = DelegateForm(request.POST, user=request.user)
    if form.finds:
        return show(request, approval, delegate_form=form)
    if not form.is_valid():
        words = " ".join(f"{form.fields[name].label}: {errors[0]}" for name, errors in form.errors.items())
        return show(request, approval, refused=words, status=422, delegate_form=form)
    try:
        given = form.cleaned_data
        delegating.delegate(
            request_id=pk, by=request.user, to=given["to"], reason=given["reason"], version=given["version"]
        )
    except Refused as refusal:
        return show(request, load(request, pk), refused=refusal.message, status=refusal.status, delegate_form=form)
    messages.success(request, f"Delegated to {form.cleaned_data['to']}.")
    return redirect("approvals:detail", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
def delegations(request: SignedIn) -> HttpResponse:
    """One's own stand-ins and, for operations, those of all people."""
    form = DelegationForm(request.POST or None, user=request.user, auto_id="give_%s")
    if request.method != "POST":
        return _page(request, form=form)
    if form.is_valid():
        try:
            made = delegating.make(form.stand_in(), user=request.user, by=request.user)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, f"{made.to} stands in for you in that time.")
            return redirect("approvals:delegations")
    return _page(request, status=200 if form.finds else 422, form=form)


def _page(request: SignedIn, status: int = 200, **forms: forms.Form) -> HttpResponse:
    feed = CalendarFeed.objects.filter(user=request.user).select_related("stand_in").first()
    seen = {"url": feed.url, "stand_in": feed.stand_in_id} if feed else None
    context = {
        "form": DelegationForm(user=request.user, auto_id="give_%s"),
        "feed_form": FeedForm(initial=seen, user=request.user, auto_id="feed_%s"),
        "feed": feed,
        **standins.of(request.user, now()),
        **forms,
    }
    return render(request, "approvals/delegations.html", context, status=status)


@require_POST
def delegation_end(request: SignedIn, pk: int) -> HttpResponse:
    """End one early."""
    given = delegating.end(delegation_id=pk, by=request.user)
    messages.success(request, f"{given.to} no longer stands in for {given.user}.")
    return redirect("approvals:delegations")


@require_POST
def delegation_feed(request: SignedIn) -> HttpResponse:
    """Set or remove the calendar whose out-of-office entries delegate."""
    if "remove" in request.POST:
        calendars.remove(user=request.user)
        messages.success(request, "The calendar is no longer read.")
        return redirect("approvals:delegations")
    form = FeedForm(request.POST, user=request.user, auto_id="feed_%s")
    if form.is_valid():
        try:
            calendars.keep(user=request.user, url=form.cleaned_data["url"], stand_in=form.cleaned_data["stand_in"])
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, "The calendar is read within an hour and every hour after that.")
            return redirect("approvals:delegations")
    return _page(request, status=200 if form.finds else 422, feed_form=form)
