"""Threads with external parties: ours on the case, and theirs, which are all that they see of the desk."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.signed_in import SignedIn
from escalations.cases import access, sharing
from escalations.forms.sharing import PostForm, ShareForm
from escalations.models import SharedThread
from escalations.views.acting import done, sent, submit
from escalations.views.loading import load_case, render_case

FORM_METHODS = require_http_methods(["GET", "HEAD", "POST"])


@FORM_METHODS
def board(request: SignedIn, key: str) -> HttpResponse:
    """The threads of a case with external parties, and a new one."""
    case, status = load_case(request, key), 200
    access.check(case, request.user, "share")
    form = ShareForm(sent(request))

    def share() -> None:
        given = form.cleaned_data
        party, subject, text = given["party"], given["subject"], given["text"]
        sharing.share(case_id=case.pk, by=request.user, party=party, subject=subject, text=text)

    if request.method == "POST":
        status = submit(request, form, share)
        if not status:
            return done(request, case, "Shared. The external party gets a mail.", "escalations:case_shared")
    context = {"form": form, "threads": case.shared_threads.select_related("party", "opened_by")}
    return render_case(request, case, "roles", "escalations/shared.html", context, status=status)


@FORM_METHODS
def ours(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """One thread of a case with an external party."""
    case, status = load_case(request, key), 200
    access.check(case, request.user, "share")
    thread = get_object_or_404(case.shared_threads.select_related("party"), pk=pk)
    form = PostForm(sent(request))
    if request.method == "POST":
        status = _submit(request, form, thread)
        if not status:
            return redirect("escalations:case_shared_thread", case.key, thread.pk)
    context = {"form": form, "thread": thread, "posts": thread.posts.select_related("by")}
    return render_case(request, case, "roles", "escalations/shared_thread.html", context, status=status)


@require_POST
def end(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """End a thread: the external party no longer sees it."""
    case = load_case(request, key)
    thread = get_object_or_404(case.shared_threads, pk=pk)
    sharing.end(thread_id=thread.pk, by=request.user)
    return done(request, case, f"{thread.subject}: the external party no longer sees it.", "escalations:case_shared")


@require_safe
def theirs(request: SignedIn) -> HttpResponse:
    """For an external party: what is shared with them. Others: 404."""
    if not request.user.is_external:
        raise Http404("There is no such page.")
    threads = sharing.threads_of(request.user)
    return render(request, "escalations/external/threads.html", {"threads": threads})


@FORM_METHODS
def their_thread(request: SignedIn, pk: int) -> HttpResponse:
    """For an external party: one thread, and their answer."""
    thread, status = get_object_or_404(sharing.threads_of(request.user), pk=pk), 200
    form = PostForm(sent(request))
    if request.method == "POST":
        status = _submit(request, form, thread)
        if not status:
            return redirect("escalations:shared_thread", thread.pk)
    context = {"form": form, "thread": thread, "posts": thread.posts.select_related("by")}
    return render(request, "escalations/external/thread.html", context, status=status)


def _submit(request: SignedIn, form: PostForm, thread: SharedThread) -> int:
    return submit(
        request,
        form,
        lambda: sharing.write(thread_id=thread.pk, by=request.user, text=form.cleaned_data["text"]),
    )
