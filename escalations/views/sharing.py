"""Threads with external parties: ours on the case, and theirs, which are all that they see of the desk."""

from django.db.models import Count, Min, Q, QuerySet
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.signed_in import SignedIn
from escalations.cases import access, sharing
from escalations.forms.sharing import OurPostForm, PostForm, ShareForm
from escalations.models import SharedThread
from escalations.views.acting import done, sent, submit
from escalations.views.files import file_answer
from escalations.views.loading import load_case, render_case

FORM_METHODS = require_http_methods(["GET", "HEAD", "POST"])


@FORM_METHODS
def board(request: SignedIn, key: str) -> HttpResponse:
    """The threads of a case with external parties, and a new one."""
    case, status = load_case(request, key), 200
    access.check(case, request.user, "share")
    form = ShareForm(sent(request), files=request.FILES or None, case_files=sharing.to_choose_from(case))

    def share() -> None:
        given = form.cleaned_data
        party, subject, text = given["party"], given["subject"], given["text"]
        sharing.share(case_id=case.pk, by=request.user, party=party, subject=subject, text=text, more=form.more())

    if request.method == "POST":
        status = submit(request, form, share)
        if not status:
            return done(request, case, "Shared. The external party gets a mail.", "escalations:case_shared")
    context = {"form": form, "threads": _with_questions(case.shared_threads.select_related("party", "opened_by"))}
    return render_case(request, case, "roles", "escalations/shared.html", context, status=status)


@FORM_METHODS
def ours(request: SignedIn, key: str, pk: int) -> HttpResponse:
    """One thread of a case with an external party."""
    case, status = load_case(request, key), 200
    access.check(case, request.user, "share")
    thread = get_object_or_404(case.shared_threads.select_related("party"), pk=pk)
    questions, files = thread.posts.open_questions(), sharing.to_choose_from(case)
    form = OurPostForm(sent(request), files=request.FILES or None, questions=questions, case_files=files)
    if request.method == "POST":
        status = _submit(request, form, thread)
        if not status:
            return redirect("escalations:case_shared_thread", case.key, thread.pk)
    context = {"form": form, "thread": thread, "posts": thread.posts.to_show(), "file_view": "escalations:file"}
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
    threads = _with_questions(sharing.threads_of(request.user))
    return render(request, "escalations/external/threads.html", {"threads": threads})


@FORM_METHODS
def their_thread(request: SignedIn, pk: int) -> HttpResponse:
    """For an external party: one thread, and their answer."""
    thread, status = get_object_or_404(sharing.threads_of(request.user), pk=pk), 200
    questions = thread.posts.open_questions()
    # An answer closes what is open, unless they say otherwise.
    ticked: dict[str, object] = {"answers": [each.pk for each in questions]}
    form = PostForm(sent(request), files=request.FILES or None, questions=questions, initial=ticked)
    if request.method == "POST":
        status = _submit(request, form, thread)
        if not status:
            return redirect("escalations:shared_thread", thread.pk)
    context = {"form": form, "thread": thread, "posts": thread.posts.to_show(), "file_view": "escalations:shared_file"}
    return render(request, "escalations/external/thread.html", context, status=status)


@require_safe
def their_file(request: SignedIn, pk: int) -> FileResponse:
    """For an external party: a file that is shared with them, as a download. 404 for every other file."""
    found = get_object_or_404(sharing.files_of(request.user).select_related("file", "case"), pk=pk)
    return file_answer(found, request.user, noted=request.method == "GET")


def _with_questions(threads: QuerySet[SharedThread]) -> QuerySet[SharedThread]:
    """With the number of open questions of each thread, and the first day by which an answer is needed."""
    is_open = Q(posts__answer_by__isnull=False, posts__answer=None, ended_at=None)
    return threads.annotate(questions=Count("posts", filter=is_open), first_day=Min("posts__answer_by", filter=is_open))


def _submit(request: SignedIn, form: PostForm, thread: SharedThread) -> int:
    def write() -> None:
        text = form.cleaned_data["text"]
        sharing.write(thread_id=thread.pk, by=request.user, text=text, more=form.more())

    return submit(request, form, write)
