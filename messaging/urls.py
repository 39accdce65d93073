"""Addresses of messages, received mail and notices."""

from django.urls import path

from messaging import api, views

app_name = "messaging"
urlpatterns = [
    path("messages/", views.outbox, name="outbox"),
    path("messages/<int:pk>/", views.message, name="message"),
    path("messages/<int:pk>/retry/", views.retry, name="retry"),
    path("messages/retry-failed/", views.retry_failed, name="retry_failed"),
    path("messages/inbox/", views.inbox, name="inbox"),
    path("messages/inbox/<int:pk>/", views.inbound, name="inbound"),
    path("messages/inbox/<int:pk>/dismiss/", views.dismiss, name="dismiss"),
    path("hooks/mail/<slug:service>/", api.deliver, name="deliver"),
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/read/", views.notifications_read, name="notifications_read"),
    path("notifications/settings/", views.preferences, name="preferences"),
]
