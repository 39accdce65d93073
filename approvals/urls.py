"""Addresses of approvals."""

from django.urls import path

from approvals import views

app_name = "approvals"
urlpatterns = [
    path("approvals/", views.inbox, name="inbox"),
    path("approvals/who/", views.who, name="who"),
    path("approvals/delegations/", views.delegations, name="delegations"),
    path("approvals/delegations/calendar/", views.delegation_feed, name="delegation_feed"),
    path("approvals/delegations/<int:pk>/end/", views.delegation_end, name="delegation_end"),
    path("approvals/<int:pk>/", views.detail, name="detail"),
    path("approvals/<int:pk>/brief/", views.brief, name="brief"),
    path("approvals/<int:pk>/log.csv", views.request_log, {"kind": "csv"}, name="log_csv"),
    path("approvals/<int:pk>/log.pdf", views.request_log, {"kind": "pdf"}, name="log_pdf"),
    path("approvals/cases/<str:key>/log.csv", views.case_log, {"kind": "csv"}, name="case_log_csv"),
    path("approvals/cases/<str:key>/log.pdf", views.case_log, {"kind": "pdf"}, name="case_log_pdf"),
    path("approvals/<int:pk>/confirm/", views.confirm, name="confirm"),
    path("approvals/<int:pk>/decide/", views.decide, name="decide"),
    path("approvals/<int:pk>/question/", views.question, name="question"),
    path("approvals/<int:pk>/answer/", views.answer, name="answer"),
    path("approvals/<int:pk>/comment/", views.comment, name="comment"),
    path("approvals/<int:pk>/delegate/", views.delegate, name="delegate"),
    path("approvals/<int:pk>/terms/", views.terms, name="terms"),
    path("approvals/<int:pk>/resubmit/", views.resubmit, name="resubmit"),
    path("approvals/<int:pk>/recall/", views.recall, name="recall"),
    path("approvals/<int:pk>/remind/", views.remind, name="remind"),
    path("approvals/<int:pk>/undo/", views.undo, name="undo"),
    path("approvals/replies/<int:pk>/", views.place_reply, name="place_reply"),
    path("d/<str:token>/", views.link, name="link"),
]
