"""Every environment variable is read here and only here. `.env.example` documents them."""

from __future__ import annotations

import os
from pathlib import Path

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from higherself.env import base_url, env, load_env_file, notion_id, required, secret

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

load_env_file(Path(os.environ.get("HIGHERSELF_ENV_FILE", BASE_DIR / ".env")))

# -- web ----------------------------------------------------------------------------------------------------------
SECRET_KEY = required("SECRET_KEY", "`make run` writes one to .env; elsewhere set it to a long random string.")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Knows the addresses of erased people again; empty: SECRET_KEY does. It stays when that is replaced.
ERASURE_KEY = secret("ERASURE_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SERVER_PORT = env.int("SERVER_PORT", default=8000)
SERVER_HOST = env.str("SERVER_HOST", default="127.0.0.1")
WEB_PROCESSES = env.int("WEB_PROCESSES", default=2)
WEB_THREADS = env.int("WEB_THREADS", default=32)
WORKER_PROCESSES = env.int("WORKER_PROCESSES", default=3)
PUBLIC_URL = base_url("PUBLIC_URL", "")
# Number of reverse proxies whose X-Forwarded-For entries are to be believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT = env.str("LOG_FORMAT", default="console")
SENTRY_DSN = secret("SENTRY_DSN")
REDIS_URL = env.str("REDIS_URL", default="")
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
# Personal data lies in it: nobody else on the machine may look.
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

ROOT_URLCONF = "higherself.urls"
WSGI_APPLICATION = "higherself.wsgi.application"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "rest_framework",
    "drf_spectacular",
    "django_q",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "higherself.core",
    "higherself.integrations",
    "contacts",
    "bookings",
    "campaigns",
    "community",
    "agents_app",
    "notion_sync",
]

MIDDLEWARE = [
    "higherself.core.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "higherself.core.middleware.ContentSecurityPolicy",
    "higherself.core.middleware.Responders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "higherself.core.people.SessionMiddleware",
    "higherself.core.people.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "higherself.core.people.AuthenticationMiddleware",
    "higherself.core.access.middleware.SecondFactor",
    "higherself.core.people.Author",
    "higherself.core.people.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

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
            ]
        },
    }
]
# Widgets such as the datalist live in the project's own templates.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# -- storage --------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'higherself.sqlite3'}")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["ENGINE"] = "higherself.core.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        # FULL: an answer given is an answer kept, even when the power fails.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        # A transaction takes the write lock at its start: two writers queue instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# -- background work ------------------------------------------------------------------------------------------------
# The queue is only a wake-up; our rows are the truth (docs/architecture.md). So a failed task is acknowledged, never
# repeated by the queue, and a finished one leaves no row behind.
Q_CLUSTER = {
    "name": "higherself",
    "label": "Background jobs",
    "workers": WORKER_PROCESSES,
    "timeout": 300,
    "retry": 600,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "queue_limit": WORKER_PROCESSES,
    "bulk": 1,
    "poll": 0.2,
    "catch_up": False,
    "recycle": 500,
}
if REDIS_URL:
    Q_CLUSTER["redis"] = REDIS_URL
else:
    Q_CLUSTER["orm"] = "default"

# -- people ---------------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 12}  # type: ignore[assignment]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = ["higherself.core.access.backend.PasswordBackend"]
# Wrong passwords in a row after which an account is closed to the address that fails, and for how long.
LOGIN_ATTEMPTS = env.int("LOGIN_ATTEMPTS", default=5)
LOGIN_LOCK_MINUTES = env.int("LOGIN_LOCK_MINUTES", default=15)
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
# Whoever can only be reached from its own machine is being tried out: there a password is enough.
STAFF_SECOND_FACTOR = env.str("STAFF_SECOND_FACTOR", default="") or (
    "optional" if DEBUG or set(ALLOWED_HOSTS) <= _LOOPBACK else "required"
)
if STAFF_SECOND_FACTOR not in {"required", "optional"}:
    raise ImproperlyConfigured(f"STAFF_SECOND_FACTOR={STAFF_SECOND_FACTOR!r}: use required or optional")
# For how many days old rows are kept; 0: for good. What waits for a person is kept in any case.
RETENTION_DAYS = {
    "events": env.int("RETENTION_EVENTS_DAYS", default=0),
    "runs": env.int("RETENTION_RUNS_DAYS", default=0),
    "messages": env.int("RETENTION_MESSAGES_DAYS", default=0),
    "history": env.int("RETENTION_HISTORY_DAYS", default=0),
    "sync_runs": env.int("RETENTION_SYNC_RUNS_DAYS", default=90),
    "refused": env.int("RETENTION_REFUSED_DAYS", default=30),
    "logins": env.int("RETENTION_LOGINS_DAYS", default=90),
    "imports": env.int("RETENTION_IMPORTS_DAYS", default=90),
}
OTP_TOTP_ISSUER = "HigherSelf Network"
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Set behind a TLS proxy: cookies travel over https only, and browsers are told to stay there.
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS_ONLY else 0
if env.bool("BEHIND_TLS_PROXY", default=HTTPS_ONLY):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
# The admin's bulk forms carry one field per row.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", _("English"))]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False

# -- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "higherself.core.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["higherself.core.api.TolerantJSONParser", "rest_framework.parsers.FormParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "higherself.core.api.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "The HigherSelf Network Server",
    "DESCRIPTION": "Webhooks in, workflows and events out. Notion is kept equal behind it.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
}
MAX_BODY_BYTES = 1024 * 1024
# Django's own limit would answer 400 where providers expect 413; the views check the size themselves.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * MAX_BODY_BYTES
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
FORM_THROTTLE = env.str("FORM_THROTTLE", default="30/min")
WEBHOOK_THROTTLE = env.str("WEBHOOK_THROTTLE", default="")

# -- mail -----------------------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="The HigherSelf Network <noreply@localhost>")
TEAM_EMAILS = env.list("TEAM_EMAILS", default=[])
# An incoming webhook of Slack; without it, messages for Slack are skipped and say so.
SLACK_WEBHOOK_URL = secret("SLACK_WEBHOOK_URL")
# Help by a language model, as "provider:model" of pydantic-ai; empty: rules answer, and nothing is asked outside.
AI_MODEL = env.str("AI_MODEL", default="").strip()
AI_API_KEY = secret("AI_API_KEY")
AI_BASE_URL = base_url("AI_BASE_URL", "")
AI_MAX_TOKENS = env.int("AI_MAX_TOKENS", default=2000)
AI_TIMEOUT_SECONDS = env.int("AI_TIMEOUT_SECONDS", default=60)
# So many records put aside at once in the console need a second person's approval.
ARCHIVE_APPROVAL_FROM = env.int("ARCHIVE_APPROVAL_FROM", default=20)

# -- Notion ---------------------------------------------------------------------------------------------------------
# The one list of the 16 databases: their short names, and the variable that holds each one's id.
NOTION_DATABASE_VARIABLES = {
    key: f"NOTION_{key.upper()}_DB"
    for key in (
        "business_entities",
        "contacts_profiles",
        "community_hub",
        "products_services",
        "active_workflow_instances",
        "marketing_campaigns",
        "feedback_surveys",
        "rewards_bounties",
        "master_tasks",
        "agent_communication",
        "agent_registry",
        "api_integrations",
        "data_transformations",
        "notifications_templates",
        "use_cases",
        "workflows_library",
    )
}
_ALIASES = {"master_tasks": ("NOTION_TASKS_DB",)}
NOTION_DATABASE_IDS = {key: notion_id(name, *_ALIASES.get(key, ())) for key, name in NOTION_DATABASE_VARIABLES.items()}
NOTION_API_TOKEN = secret("NOTION_API_TOKEN")
# Without a token the local sandbox stands in for Notion.
SANDBOX_ENABLED = not NOTION_API_TOKEN
SANDBOX_PORT = env.int("SANDBOX_PORT", default=SERVER_PORT + 1)
SANDBOX_TOKEN = "local-sandbox"  # noqa: S105 - no secret: the sandbox listens on loopback only
NOTION_BASE_URL = base_url(
    "NOTION_BASE_URL", f"http://127.0.0.1:{SANDBOX_PORT}" if SANDBOX_ENABLED else "https://api.notion.com"
)
NOTION_VERSION = env.str("NOTION_VERSION", default="2026-03-11")
if NOTION_VERSION not in {"2026-03-11", "2025-09-03"}:
    raise ImproperlyConfigured(f"NOTION_VERSION={NOTION_VERSION!r}: use 2026-03-11 or 2025-09-03")
NOTION_PARENT_PAGE_ID = notion_id("NOTION_PARENT_PAGE_ID")
NOTION_WEBHOOK_TOKEN = secret("NOTION_WEBHOOK_TOKEN")
# Requests per 60 seconds, shared by all processes; 0 switches pacing off, which is right for the local sandbox only.
NOTION_REQUESTS_PER_MINUTE = env.int("NOTION_REQUESTS_PER_MINUTE", default=0 if SANDBOX_ENABLED else 180)
NOTION_TIMEOUT_SECONDS = env.int("NOTION_TIMEOUT_SECONDS", default=60)
NOTION_POLL_SECONDS = env.int("NOTION_POLL_SECONDS", default=40)

# -- providers ------------------------------------------------------------------------------------------------------
WEBHOOK_SECRET = secret("WEBHOOK_SECRET")
# How long a provider may take to answer one of our requests.
PROVIDER_TIMEOUT_SECONDS = env.float("PROVIDER_TIMEOUT_SECONDS", default=30.0)
_PROVIDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    # slug: (default address, credentials)
    "typeform": ("https://api.typeform.com", ("API_TOKEN",)),
    "hubspot": ("https://api.hubapi.com", ("ACCESS_TOKEN", "CLIENT_SECRET")),
    "amelia": ("", ("API_KEY", "TIME_ZONE")),
    "snovio": ("https://api.snov.io", ("CLIENT_ID", "CLIENT_SECRET")),
    "userfeedback": ("", ("USERNAME", "APPLICATION_PASSWORD")),
    "woocommerce": ("", ("CONSUMER_KEY", "CONSUMER_SECRET")),
    "beehiiv": ("https://api.beehiiv.com", ("API_KEY", "PUBLICATION_ID")),
    "circle": ("https://app.circle.so", ("API_TOKEN", "COMMUNITY_ID", "TOKEN_SCHEME", "MONTHLY_REQUESTS")),
    "airtable": ("https://api.airtable.com", ("API_TOKEN", "BASE_ID")),
    "plaud": ("", ("CLIENT_ID", "CLIENT_SECRET", "ACCESS_TOKEN", "FILE_HOSTS")),
    "tutorlm": ("", ("API_KEY", "API_SECRET", "USERNAME", "APPLICATION_PASSWORD")),
}
PROVIDERS = {
    slug: {
        "webhook_secret": secret(f"{slug.upper()}_WEBHOOK_SECRET"),
        "base_url": base_url(f"{slug.upper()}_BASE_URL", address),
        **{name.lower(): secret(f"{slug.upper()}_{name}") for name in credentials},
    }
    for slug, (address, credentials) in _PROVIDERS.items()
}
PROVIDERS["notion"] = {"webhook_secret": NOTION_WEBHOOK_TOKEN, "base_url": NOTION_BASE_URL}

# -- logging --------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "higherself.core.logs.RedactSecrets"}},
    "formatters": {
        "console": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{", "datefmt": "%H:%M:%S"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{asctime}{levelname}{name}{message}",
            "style": "{",
        },
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if LOG_FORMAT == "json" else "console",
            "filters": ["redact"],
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Our own request log says it once, and without secrets.
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "ERROR"},
        "django-q": {"level": "WARNING"},
        "notion_client": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # It would log addresses with their queries.
        "urllib3": {"level": "WARNING"},
    },
}

from higherself.console import UNFOLD  # noqa: E402, F401 - the admin's look; it reads nothing from the environment

if SENTRY_DSN:
    from higherself.core.logs import redact_report

    sentry_sdk.init(
        dsn=SENTRY_DSN,
        release=VERSION,
        send_default_pii=False,
        include_local_variables=False,
        # Personal data: bodies of deliveries are people's answers.
        max_request_body_size="never",
        before_send=redact_report,
        before_breadcrumb=redact_report,
        before_send_transaction=redact_report,
    )
