"""Addresses of the account pages."""

from django.urls import path

from accounts.views import choosing, contacts, customers, imports, people

app_name = "accounts"
urlpatterns = [
    path("accounts/", customers.account_list, name="list"),
    path("accounts/export.csv", customers.export, name="export"),
    path("accounts/<int:pk>/", customers.detail, name="detail"),
    path("accounts/<int:pk>/signals/new/", customers.log_signal, name="log_signal"),
    path("accounts/<int:pk>/contacts/new/", contacts.new, name="contact_new"),
    path("accounts/<int:pk>/contacts/<int:contact>/", contacts.correct, name="contact"),
    path("imports/", imports.import_list, name="imports"),
    path("imports/new/", imports.import_new, name="import_new"),
    path("imports/<int:pk>/", imports.import_run, name="import_run"),
    path("imports/<int:pk>/start/", imports.import_start, name="import_start"),
    path("imports/<int:pk>/stop/", imports.import_stop, name="import_stop"),
    path("imports/<int:pk>/problems.csv", imports.import_problems, name="import_problems"),
    path("choose/<slug:kind>/", choosing.choose, name="choose"),
    path("profile/", people.profile, name="profile"),
]
