"""The settings of `make run`: one machine, loopback, SQLite unless DATABASE_URL is set."""

from config.settings.base import *  # noqa: F403
from config.settings.base import DATABASE_URL, EMAIL_URL, LOG_KEYS, SECRET_KEY
from config.settings.databases import database_from_url

DATABASES = {"default": database_from_url(DATABASE_URL)}
SECRET_KEY = SECRET_KEY or "development-only-key-make-run-writes-a-real-one-to-env"
LOG_KEYS = LOG_KEYS or ["dev:development-only-log-key"]
if not EMAIL_URL:
    # Without a mail server, mail is readable on the Messages page; nothing is sent.
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
