"""Addresses of cases, intake, reviews and matrices. Everything of a case hangs below its key, such as ESC-1042."""

from django.urls import include, path, re_path

from escalations.views import (
    brief,
    case,
    clocks,
    files,
    handoffs,
    intake,
    ordering,
    queue,
    requests,
    review,
    roles,
    thread,
    tracker,
)
from escalations.views.matrices import urlpatterns_matrices

app_name = "escalations"

case_patterns = [
    path("", case.thread, name="case"),
    path("status/", thread.status, name="status"),
    path("post/", thread.post, name="post"),
    path("customer-update/", thread.customer_update, name="customer_update"),
    path("entries/<int:pk>/correct/", thread.correct, name="correct"),
    path("waiting/", thread.waiting, name="waiting"),
    path("deadline/", thread.deadline, name="deadline"),
    path("clocks/", clocks.listing, name="clocks"),
    path("clocks/<int:pk>/pause/", clocks.hold, name="clock_hold"),
    path("clocks/<int:pk>/resume/", clocks.let_go, name="clock_let_go"),
    path("brief/", brief.edit, name="brief"),
    path("brief/files/", brief.add_files, name="brief_files"),
    path("brief/page/", brief.page, name="brief_page"),
    path("brief.pdf", brief.pdf, name="brief_pdf"),
    path("brief/versions/<int:number>/", brief.snapshot, name="brief_snapshot"),
    path("tracker/", tracker.board, name="tracker"),
    path("tracker/actions/", tracker.add, name="action_add"),
    path("tracker/actions/<int:pk>/done/", tracker.done, name="action_done"),
    path("tracker/commitments/", tracker.promise, name="commitment_add"),
    path("tracker/commitments/<int:pk>/", tracker.keep, name="commitment_keep"),
    path("roles/", roles.board, name="roles"),
    path("handoffs/<int:number>/", handoffs.answer_page, name="handoff"),
    path("handoffs/<int:number>/accept/", handoffs.accept, name="handoff_accept"),
    path("handoffs/<int:number>/refuse/", handoffs.refuse, name="handoff_refuse"),
    path("hand-over/", handoffs.reassign, name="reassign"),
    path("escalate/", handoffs.escalate, name="escalate"),
    path("approvals/", requests.board, name="requests"),
    path("approvals/new/", requests.ask, name="ask"),
    path("execute/", ordering.skip_to_execute, name="execute"),
    path("resolve/", ordering.resolve, name="resolve"),
    path("close/", ordering.close, name="close"),
    path("reopen/", ordering.reopen, name="reopen"),
    path("withdraw/", ordering.withdraw, name="withdraw"),
    path("history/", case.history, name="history"),
    path("review/", review.page, name="review"),
    path("review/sign/", review.sign, name="review_sign"),
    path("review/waive/", review.waive, name="review_waive"),
]

urlpatterns = [
    path("escalations/", queue.page, name="queue"),
    path("escalations/export.csv", queue.export, name="queue_csv"),
    path("escalations/new/", intake.form, name="new"),
    path("escalations/new/preview/", intake.preview, name="preview"),
    path("escalations/new/draft/", intake.draft, name="draft"),
    re_path(r"^escalations/(?P<key>ESC-\d{1,12})/opened/$", intake.opened, name="opened"),
    re_path(r"^escalations/(?P<key>ESC-\d{1,12})/", include(case_patterns)),
    path("files/<int:pk>/", files.download, name="file"),
    path("reviews/", review.listing, name="reviews"),
    path("mail/place/", thread.place_mail, name="place_mail"),
    *urlpatterns_matrices,
]
