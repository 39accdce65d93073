"""Settings of the floors: the product's own, with nothing around the views but the session and the user."""

from config.settings.dev import *  # noqa: F403

ROOT_URLCONF = "demo.benchmarks.floors"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
# It refuses to start without its middleware.
INSTALLED_APPS = [each for each in INSTALLED_APPS if each != "allauth.account"]  # noqa: F405
