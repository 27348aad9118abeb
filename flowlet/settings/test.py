"""Tests: real PostgreSQL and Redis, fixed keys that guard nothing, the cheapest password hash that is still bcrypt's."""

import base64
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from flowlet.settings.base import *  # noqa: F403
from flowlet.settings.base import CACHES, DATABASES, STORAGES


def _key(byte: int) -> str:
    return base64.b64encode(bytes([byte]) * 32).decode()


ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SECRET_KEY = "tests-only-" + "x" * 50
FIELD_KEYS = f"1:{_key(1)}"
INDEX_KEYS = f"1:{_key(2)}"
AUDIT_MAC_KEYS = f"1:{_key(3)}"
ANCHOR_KEYS = f"1:{_key(5)}"
FLOWLET_ANCHOR_DIR = ""  # tests that anchor say where
CLIENT_PEPPER = _key(4)
_PEM = ec.derive_private_key(0x5EED, ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
JWT_KEYS = f"test-1:{base64.b64encode(_PEM).decode()}"
# 12 rounds cost a quarter of a second each; the production hasher has a test of its own.
PASSWORD_HASHERS = ["flowlet.identity.hashers.QuickBCryptSHA256PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Most tests are not about screening and load no list; those that are switch it on.
SCREENING_BLOCKS_UNSCREENED = False
CELERY_TASK_ALWAYS_EAGER = False
LOG_LEVEL = "WARNING"
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = (
    True  # files come from where they lie: tests need no collectstatic
)
# Runs and workers that share one Redis keep out of each other's way; a busy machine must not open the limiter.
_PREFIX = f"test-{DATABASES['default']['NAME']}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
_PATIENT = {**CACHES["limits"]["OPTIONS"], "SOCKET_CONNECT_TIMEOUT": 5, "SOCKET_TIMEOUT": 5}
CACHES = {
    "default": {**CACHES["default"], "KEY_PREFIX": _PREFIX},
    "limits": {**CACHES["limits"], "OPTIONS": _PATIENT},
}
