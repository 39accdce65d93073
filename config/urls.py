"""All addresses of the product."""

from django.contrib import admin
from django.urls import include, path
from django_q.models import Failure, OrmQ, Schedule, Success

from config import api_docs
from config.health import healthz
from config.home import home
from config.search import search
from config.sign_in import closed

admin.site.site_title = admin.site.site_header = "Escalation Desk administration"
admin.site.index_title = "Tiers, matrices, people and records"

# config.schedules defines the worker's jobs; a row edited by hand could stop every schedule, so the admin does not show
# them.
for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

handler400 = "config.middleware.bad_request"
handler500 = "config.middleware.server_error"
urlpatterns = [
    path("", home, name="home"),
    path("search/", search, name="search"),
    path("healthz", healthz, name="healthz"),
    path("api/", api_docs.reference, name="api-docs"),
    path("api/schema/", api_docs.schema, name="schema"),
    path("api/token/", api_docs.new_token, name="api-token"),
    path("api/token/end/", api_docs.end_token, name="api-token-end"),
    path("api/v1/", include("config.api")),
    path("", include("reports.urls")),
    path("admin/", admin.site.urls),
    path("auth/email/", closed),
    path("auth/confirm-email/<path:rest>", closed),
    path("auth/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("messaging.urls")),
    path("", include("approvals.urls")),
    path("", include("escalations.urls")),
]
