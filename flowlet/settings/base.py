"""What all settings share: twelve-factor, everything that differs between machines comes from the environment."""

from pathlib import Path

import environ

from flowlet.core.logs import configure
from flowlet.settings.jobs import beat_schedule
from flowlet.settings.vendors import (
    read_vendors,
    simulator_urls,
)

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parents[2]

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
FLOWLET_MODE = env.str("FLOWLET_MODE", default="sandbox")  # sandbox or live: two deployments of one image
BASE_URL = env.str("BASE_URL", default="http://localhost:8000")

# --- keys: one purpose each, see docs/keys.md; rings read "id:base64,…", newest first -------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="")
FIELD_KEYS = env.str("FIELD_KEYS", default="")
INDEX_KEYS = env.str("INDEX_KEYS", default="")
AUDIT_MAC_KEYS = env.str("AUDIT_MAC_KEYS", default="")
CLIENT_PEPPER = env.str("CLIENT_PEPPER", default="")
JWT_KEYS = env.str("JWT_KEYS", default="")
ANCHOR_KEYS = env.str("ANCHOR_KEYS", default="")

# --- applications ---------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "flowlet.audit",
    "flowlet.identity",
    "flowlet.events",
    "flowlet.backoffice",
    "flowlet.gateway",
    "flowlet.integrations",
    "flowlet.notifications",
    "ledger",
    "wallets",
    "compliance",
    "fraud",
    "payments",
    "cards",
    "flowlet.assistant",
    "analytics",
    "flowlet.demo",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "csp",
    "django_celery_beat",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]
# What stands in flowlet.gateway.stacks steps aside on API addresses: they read no cookie and set none.
MIDDLEWARE = [
    "flowlet.backoffice.middleware.AnswerHeaders",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "flowlet.gateway.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "flowlet.gateway.stacks.CSPMiddleware",
    "flowlet.gateway.stacks.SessionMiddleware",
    "flowlet.gateway.stacks.CommonMiddleware",
    "flowlet.gateway.stacks.CsrfViewMiddleware",
    "flowlet.gateway.stacks.AuthenticationMiddleware",
    "flowlet.gateway.stacks.MessageMiddleware",
    "flowlet.gateway.stacks.RequestMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
# It looks for the stock name; flowlet.gateway.stacks.CsrfViewMiddleware is the same class but for the API's addresses.
SILENCED_SYSTEM_CHECKS = ["security.W003"]
ROOT_URLCONF = "flowlet.urls"
WSGI_APPLICATION = "flowlet.wsgi.application"
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

# --- PostgreSQL -----------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres:///flowlet")}
DATABASES["default"].update(
    CONN_MAX_AGE=600,
    CONN_HEALTH_CHECKS=True,
    ATOMIC_REQUESTS=False,
)
DATABASES["default"].setdefault("OPTIONS", {})
if _name := env.str("FLOWLET_DB_NAME", default=""):
    DATABASES["default"]["NAME"] = _name
# Web, worker and scheduler act as this role; whoever migrates leaves it empty and stays the owner (flowlet/audit/rights.py).
if _role := env.str("DATABASE_ROLE", default=""):
    DATABASES["default"]["OPTIONS"]["options"] = f"-c role={_role}"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# House accounts so busy that they are kept in shards: FEE_INCOME:8,CLIENT_MONEY_BANK:4 (ledger/operations/shards.py).
LEDGER_SHARDS = {
    code: int(count) for code, count in (part.split(":") for part in env.list("LEDGER_SHARDS", default=[]))
}

# From how many postings on the daily job asks for parting them by month.
LEDGER_PARTITION_ABOVE = env.int("LEDGER_PARTITION_ABOVE", default=50_000_000)

# --- Redis: cache, rate limits, broker; never the truth -----------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env.str("CACHE_PREFIX", default="flowlet"),
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
        },
    },
    # The same Redis with little patience: a request must not wait for its limiter.
    "limits": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "CLIENT_CLASS": "django_redis.client.DefaultClient",
            "SOCKET_CONNECT_TIMEOUT": env.float("RATE_LIMIT_TIMEOUT_S", default=0.05),
            "SOCKET_TIMEOUT": env.float("RATE_LIMIT_TIMEOUT_S", default=0.05),
        },
    },
}

# --- people -----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
SESSION_COOKIE_AGE = 15 * 60  # idle time-out: each request moves it
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
# The default locks by address alone: one office behind one address would lock everybody out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_LOCKOUT_CALLABLE = "flowlet.backoffice.access.locked_out"
AXES_USERNAME_FORM_FIELD = "username"
RATELIMIT_USE_CACHE = "default"

# --- currencies -----------------------------------------------------------------------------------------------------------
# The books are kept in every currency and summed up in this one. Fixed once a deal is booked.
FLOWLET_BASE_CURRENCY = env.str("FLOWLET_BASE_CURRENCY", default="EUR")
FX_SPREAD_BP = env.int(
    "FX_SPREAD_BP", default=100
)  # of partners without a spread of their own, hundredths of a percent
FX_QUOTE_S = env.int("FX_QUOTE_S", default=30)
# A mid rate older than this is not quoted from; 0: any age. Central banks publish on working days only.
FX_RATE_HOURS_MAX = env.int("FX_RATE_HOURS_MAX", default=120 if FLOWLET_MODE == "live" else 0)

# --- screening ----------------------------------------------------------------------------------------------------------
# A customer whom nobody could compare with a list (none is loaded) can receive money but not send any.
SCREENING_BLOCKS_UNSCREENED = env.bool("SCREENING_BLOCKS_UNSCREENED", default=True)

# --- reports to the authority: who files; the defaults are the sandbox's and belong to nobody ---------------------------
FILER = {
    "name": env.str("FILER_NAME", default="Flowlet Sandbox"),
    "tin": env.str("FILER_TIN", default="000000000"),
    "tcc": env.str("FILER_TCC", default="SANDBOX0"),
    "street": env.str("FILER_STREET", default="1 Sandbox Street"),
    "city": env.str("FILER_CITY", default="Springfield"),
    "state": env.str("FILER_STATE", default="IL"),
    "postcode": env.str("FILER_POSTCODE", default="62701"),
    "country": env.str("FILER_COUNTRY", default="US"),
    "contact": env.str("FILER_CONTACT", default="Compliance Office"),
    "phone": env.str("FILER_PHONE", default="2175550100"),
}

# --- headers ------------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/.*$"

# --- language, time, files -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
# Days of the facts (analytics); a change needs `manage.py analytics_rebuild`. Booking dates stay those of the ledger.
REPORTING_TIME_ZONE = env.str("REPORTING_TIME_ZONE", default="UTC")
# The month in which the books' year begins: before it, income and expense go to retained earnings.
LEDGER_FISCAL_YEAR_START_MONTH = env.int("LEDGER_FISCAL_YEAR_START_MONTH", default=1)
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = BASE_DIR / "var" / "media"

# A folder that a bank's connection (SFTP, EBICS) drops its files into; empty: files come by upload only.
FLOWLET_BANK_INBOX = env.str("FLOWLET_BANK_INBOX", default="")

# --- anchors of the ledger: outside the database, see docs/operators.md ---------------------------------------------------
FLOWLET_ANCHOR_DIR = env.str("FLOWLET_ANCHOR_DIR", default=str(BASE_DIR / "var" / "anchors"))
ANCHOR_OBJECTS = {
    "url": env.str("ANCHOR_S3_URL", default=""),  # https://host/bucket/prefix
    "region": env.str("ANCHOR_S3_REGION", default="us-east-1"),
    "key_id": env.str("ANCHOR_S3_KEY_ID", default=""),
    "secret": env.str("ANCHOR_S3_SECRET", default=""),
}

# --- tasks --------------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # every task is safe to run twice
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 15 * 60
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = beat_schedule()
CELERY_TIMEZONE = "UTC"

# --- vendors and messages, see flowlet/settings/vendors.py ---------------------------------------------------------------
VENDORS = read_vendors(simulator_urls(FLOWLET_MODE))
VENDOR_JOURNAL = env.str("VENDOR_JOURNAL", default="")  # what the simulators of this checkout remember
VENDORS_OFF = env.list("VENDORS_OFF", default=[])  # vendors that this deployment lives without
SMS_BACKEND = "flowlet.integrations.twilio.client.SmsSender"
CODE_BACKEND = "flowlet.integrations.twilio.client.CodeSender"

# --- assistant: off in live mode until it is switched on; without a model it answers from templates ---------------------------
ASSISTANT_ENABLED = env.bool("ASSISTANT_ENABLED", default=FLOWLET_MODE != "live")
ASSISTANT_TOKENS_PER_DAY = env.int("ASSISTANT_TOKENS_PER_DAY", default=200_000)  # of each partner
ASSISTANT_CHATS_KEPT_DAYS = env.int("ASSISTANT_CHATS_KEPT_DAYS", default=90)

# --- API ----------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
# Token buckets: how many requests at once, and how many more each second. Their names are those of the answers' fields.
RATE_LIMITS = {
    "client": (env.int("RATE_CLIENT_BURST", default=200), env.float("RATE_CLIENT_PER_S", default=100.0)),
    "writes": (env.int("RATE_WRITES_BURST", default=50), env.float("RATE_WRITES_PER_S", default=25.0)),
    "anyone": (60, 1.0),  # requests without a good token, by address
    "token": (10, 1 / 6),  # token requests by client, sign-ins by account
    "token_address": (30, 0.5),
    "sign_in": (10, 1 / 6),
    "sign_in_address": (10, 1 / 6),
}
WEB_WORKERS = env.int(
    "WEB_CONCURRENCY", default=2
)  # gunicorn's own variable: shares out the rates when Redis is away
TRUSTED_PROXY_HOPS = env.int("TRUSTED_PROXY_HOPS", default=0)  # proxies of ours that write X-Forwarded-For
METRICS_ALLOWED_NETWORKS = env.list("METRICS_ALLOWED_NETWORKS", default=["127.0.0.0/8", "::1/128"])
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SPECTACULAR_SETTINGS = {
    "TITLE": "Flowlet partner API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [],  # short enums read better where they stand than as components with invented names
}

# --- InfluxDB: no URL, no points ------------------------------------------------------------------------------------------
INFLUXDB_URL = env.str("INFLUXDB_URL", default="")
INFLUXDB_TOKEN = env.str("INFLUXDB_TOKEN", default="")
INFLUXDB_ORG = env.str("INFLUXDB_ORG", default="")
INFLUXDB_BUCKET = env.str("INFLUXDB_BUCKET", default="flowlet")

# --- logs ---------------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
DJANGO_STRUCTLOG_CELERY_ENABLED = True  # a task logs the id of the request that sent it
LOGGING = configure(
    LOG_LEVEL, quiet=["twilio", "httpx2", "openai", "stripe", "plaid", "axes", "django_structlog"]
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
