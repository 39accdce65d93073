"""Addresses of the figures and of the engine's health."""

from django.urls import path

from reports import views

app_name = "reports"
urlpatterns = [
    path("dashboard/", views.dashboard, name="dashboard"),
    path("dashboard/kpis.csv", views.csv_figures, name="figures"),
    path("dashboard/overrides/", views.overrides, name="overrides"),
    path("dashboard/overrides.csv", views.csv_overrides, name="overrides_csv"),
    path("dashboard/<slug:kpi>/cases/", views.behind_number, name="behind"),
    path("dashboard/<slug:kpi>/cases.csv", views.csv_list, name="csv"),
    path("engine/", views.engine_health, name="engine"),
    path("engine/try-again/", views.try_again, name="try_again"),
]
