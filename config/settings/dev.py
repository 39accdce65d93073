"""What `make run` uses: one machine, loopback, SQLite unless DATABASE_URL says otherwise."""

from config.settings.base import *  # noqa: F403
from config.settings.base import DATABASE_URL, EMAIL_URL, LOG_KEYS, SECRET_KEY
from config.settings.databases import database_from_url

DATABASES = {"default": database_from_url(DATABASE_URL)}
SECRET_KEY = SECRET_KEY or "development-only-key-make-run-writes-a-real-one-to-env"
LOG_KEYS = LOG_KEYS or ["dev:development-only-log-key"]
if not EMAIL_URL:
    # Without a mail server, mail stays readable on the Messages page; nothing leaves the machine.
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
