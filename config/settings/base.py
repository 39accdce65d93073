"""Settings shared by every environment; the environment (or `.env`) overrides settings that use `env`."""

from pathlib import Path

from django.urls import reverse_lazy
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = Env()
env.read_env(BASE_DIR / ".env", recurse=False)
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = env.str("SECRET_KEY", "")
# The chain key is outside the database, so that a copy of the tables is not enough to forge the log. `id:secret`,
# newest first.
LOG_KEYS: list[str] = env.list("LOG_KEY", [])
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
PORT = env.int("PORT", 8000)
SITE_URL = env.str("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
SITE_NAME = "Escalation Desk"

INSTALLED_APPS = [
    "ledger",
    "accounts",
    "messaging",
    "approvals",
    "escalations",
    "reports",
    "config.apps.DeskConfig",
    "demo",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "axes",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_fsm",
    "django_htmx",
    "django_q",
    "drf_spectacular",
    "rest_framework",
    "rest_framework.authtoken",
    "simple_history",
]

MIDDLEWARE = [
    "config.middleware.ZeroByteMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.PrivateMiddleware",
    "config.typed.SignInMiddleware",
    "config.middleware.ExternalPartyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "config.middleware.ViewerZoneMiddleware",
    "config.typed.TypedWordsMiddleware",
    "config.once.OnceMiddleware",
    "config.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.navigation",
            ],
            "builtins": [
                "config.templatetags.ui",
                "config.templatetags.formats",
                "config.templatetags.forms_once",
            ],
        },
    }
]

DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{VAR_DIR / 'desk.sqlite3'}")
ATOMIC_REQUESTS = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "desk_cache"}}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("account_login")
CSRF_FAILURE_VIEW = "config.typed.form_of_another_sign_in"
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGOUT_REDIRECT_URL = reverse_lazy("account_login")
ACCOUNT_ADAPTER = "config.sign_in.ClosedSignupAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Escalation Desk: "
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["ip_address", "username"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 12

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.KeptAddresses"},
}
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(VAR_DIR / "media")))
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["ledger.files.uploads.PartHandler"]
# The virus scanner that every file is shown to, unix:///path or tcp://host:port of a clamd server. Empty: none.
CLAMD_URL = env.str("CLAMD_URL", "")

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True

EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    _mail = env.dj_email_url("EMAIL_URL")
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail["EMAIL_USE_TLS"], _mail["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Escalation Desk <desk@localhost>")
# Domain of reply addresses (case+…@, approve+…@) and of Message-IDs.
MAIL_DOMAIN = env.str("MAIL_DOMAIN", "localhost")
# The name of our own mail server in Authentication-Results. The server must remove headers from outside that carry this
# name. Empty: no mail is proven to be from its sender, so approvals cannot be answered by mail.
AUTHSERV_ID = env.str("AUTHSERV_ID", "").strip()
# The mailbox that receives for MAIL_DOMAIN: imaps://user:password@host/folder, with ?move=Done to move fetched mail.
IMAP_URL = env.str("IMAP_URL", "")
# Or the mail service that calls us for each mail (see docs/mail.md), with the `user:password` that it must send.
INBOUND_ESP = env.str("INBOUND_ESP", "").strip().lower()
ANYMAIL = {"WEBHOOK_SECRET": env.list("INBOUND_SECRET", []), "MAILGUN_WEBHOOK_SIGNING_KEY": env.str("MAILGUN_KEY", "")}
# If a person gets more mails than this in 24 hours, the rest goes into the digest; mail that cannot be switched off is
# never held back.
MAIL_CAP_PER_TARGET_PER_DAY = env.int("MAIL_CAP_PER_TARGET_PER_DAY", 200)
# Classes of the product; a system check verifies each. A new channel or message kind is one class and one line here.
MESSAGE_CHANNELS = ["messaging.channels.email.Email"]
MESSAGE_KINDS = [
    "messaging.outbox.digests.Digest",
    "approvals.mail.kinds.ApprovalAsked",
    "approvals.mail.kinds.ApprovalDecided",
    "escalations.cases.notifications.kinds.HandOffAsked",
    "escalations.cases.notifications.kinds.CustomerUpdate",
    "escalations.clocks.notify.ClockNotification",
]
# Says the titles of cases to the pages of messages, by their keys.
CASE_TITLES = "escalations.cases.queries.titles.titles"
# Says which received mails belong to confidential cases that a person may not open.
UNREADABLE_MAIL = "escalations.cases.queries.mails.unreadable"
REQUEST_PANELS = ["escalations.cases.queries.request_files.Files"]
ACCOUNT_PANELS = [
    "escalations.cases.queries.account_panels.OpenCases",
    "escalations.cases.queries.account_panels.Commitments",
    "escalations.cases.queries.account_panels.SetAside",
    "escalations.cases.queries.account_panels.MailFiles",
]
# How long other senders do not take a killed sender's messages: those it had leased, and the one it was delivering
# (longer than the slowest server needs to answer every step within EMAIL_TIMEOUT).
OUTBOX_LEASE_SECONDS = env.float("OUTBOX_LEASE_SECONDS", 30.0)
OUTBOX_HAND_OVER_SECONDS = env.float("OUTBOX_HAND_OVER_SECONDS", 180.0)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.api_access.TokenInOwnZone",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "config.api_access.NotExternal",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.api_json.ShallowJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "ledger.pagination.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "config.api_schema.Schema",
    "EXCEPTION_HANDLER": "config.api.answer_refusal",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Escalation Desk API",
    "DESCRIPTION": "Send accounts and signals, read decisions and events. "
    "The same actions, permissions and errors as in the browser.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "CaseState": "escalations.states.STATES",
        "EscalationTypeEnum": "escalations.states.TYPES",
        "ClockState": "escalations.models.Clock.STATES",
        "HandOffState": "escalations.models.HandOff.STATES",
        "ActionState": "escalations.models.Action.STATES",
        "ReviewState": "escalations.models.Review.STATES",
        "RequestState": "approvals.models.ApprovalRequest.STATES",
        "CaseOutcome": "escalations.states.OUTCOMES",
        "SuggestionOutcome": "approvals.models.Suggestion.OUTCOMES",
        "DecisionKind": "approvals.models.DecisionEntry.KINDS",
        "AccountKind": "accounts.models.Account.KINDS",
        "SignalKind": "accounts.models.Signal.KINDS",
        "ClockKind": "escalations.clocks.rules.kinds.CHOICES",
    },
}
FORM_RENDERER = "config.widgets.QuickRenderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

Q_CLUSTER = {
    "name": "escalation-desk",
    "orm": "default",
    "workers": 2,
    "timeout": 150,
    # Longer than a job may take: a process takes a job only when it begins it.
    "retry": 300,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "poll": 1,
    "save_limit": 500,
    "label": "Background jobs",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {"secrets": {"()": "config.logs.WithoutSecrets"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["secrets"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"axes": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}, "weasyprint": {"level": "ERROR"}},
}

# An external monitor that raises an alarm when calls stop: the engine calls this URL once a minute while all is well.
HEARTBEAT_URL = env.str("HEARTBEAT_URL", "")
# How long a web process caches the text of the operations banner.
BANNER_SECONDS = 15.0

# The admin edits a whole policy in one form, which has more fields than Django's limit of 1,000.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Only test servers may move the clock (ledger.now); never set outside tests.
CLOCK_MAY_MOVE = False
# Calendars of people are fetched over https from public addresses only; a test desk may read local ones.
CALENDARS_MAY_BE_LOCAL = False
# Points at which fault tests kill a process, with their probability; see ledger.faults.
DIE_AT: dict[str, float] = {}
