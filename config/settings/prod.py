"""Production: keys and hosts must come from the environment; HTTPS is assumed in front."""

from config.settings.base import *  # noqa: F403
from config.settings.base import DATABASE_URL, EMAIL_URL, env
from config.settings.databases import database_from_url

SECRET_KEY = env.str("SECRET_KEY")
LOG_KEYS = env.list("LOG_KEY")
DATABASES = {"default": database_from_url(DATABASE_URL)}
if not EMAIL_URL:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
