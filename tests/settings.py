"""The product's settings under a fixed environment: a developer's own .env must not change a test."""

import os
import tempfile

_ENVIRONMENT = {
    "HIGHERSELF_ENV_FILE": "/nonexistent/.env",
    "SECRET_KEY": "tests-only-0123456789-0123456789-0123456789-0123456789",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "TYPEFORM_WEBHOOK_SECRET": "123456",
    "STAFF_SECOND_FACTOR": "optional",
    "WEBHOOK_SECRET": "shared-secret-of-the-tests",
    "NOTION_API_TOKEN": "",
    "NOTION_BASE_URL": "",
    "NOTION_REQUESTS_PER_MINUTE": "0",
    "TEAM_EMAILS": "team@example.org",
    "EMAIL_URL": "memorymail://",
    "LOG_LEVEL": "WARNING",
    "REDIS_URL": "",
}
_KEPT = ("DATABASE_URL", "VAR_DIR")
for _name in [name for name in os.environ if name.startswith("NOTION_")]:
    del os.environ[_name]
os.environ.update(_ENVIRONMENT)
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
else:
    os.environ.pop("DATABASE_URL", None)

from higherself.settings import *  # noqa: E402, F403
from higherself.settings import DATABASES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
DATABASES["default"]["CONN_MAX_AGE"] = 0
# Several runs may share one machine: each has databases of its own.
_OWN = f"test_higherself_{os.getpid()}"
DATABASES["default"]["TEST"] = {"NAME": _OWN}
if DATABASES["default"]["ENGINE"] == "higherself.core.sqlite":
    # Durability is not what these tests ask about; the crash tests use their own database files.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(tempfile.gettempdir(), f"{_OWN}.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
