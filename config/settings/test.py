"""Tests: fast hashing, plain static files, a movable clock for servers started by tests."""

from config.settings.base import *  # noqa: F403
from config.settings.base import VAR_DIR, env
from config.settings.databases import database_from_url

SECRET_KEY = "tests-only-secret-key-with-enough-length-and-variety-0123456789"
LOG_KEYS = ["test:tests-only-log-key"]
DATABASES = {"default": database_from_url(env.str("DATABASE_URL", f"sqlite:///{VAR_DIR / 'test.sqlite3'}"))}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Tests must survive a killed process, not a power cut, so they do not wait for the disk.
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"
    )
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
AXES_ENABLED = env.bool("AXES_ENABLED", False)
CLOCK_MAY_MOVE = env.bool("CLOCK_MAY_MOVE", False)
DIE_AT = {str(name): float(chance) for name, chance in dict[str, str](env.dict("DIE_AT", {})).items()}
# No caching, so that tests see their own changes at once.
BANNER_SECONDS = 0.0
if not env.str("EMAIL_URL", ""):
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
