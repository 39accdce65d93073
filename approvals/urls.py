"""Addresses of approvals."""

from django.urls import path

from approvals import views

app_name = "approvals"
urlpatterns = [
    path("approvals/", views.inbox, name="inbox"),
    path("approvals/who/", views.who, name="who"),
    path("approvals/<int:pk>/", views.detail, name="detail"),
    path("approvals/<int:pk>/brief/", views.brief, name="brief"),
    path("approvals/<int:pk>/confirm/", views.confirm, name="confirm"),
    path("approvals/<int:pk>/decide/", views.decide, name="decide"),
    path("approvals/<int:pk>/question/", views.question, name="question"),
    path("approvals/<int:pk>/answer/", views.answer, name="answer"),
    path("approvals/<int:pk>/recall/", views.recall, name="recall"),
    path("approvals/<int:pk>/remind/", views.remind, name="remind"),
    path("approvals/<int:pk>/undo/", views.undo, name="undo"),
    path("d/<str:token>/", views.link, name="link"),
]
