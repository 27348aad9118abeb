"""Production: everything from the environment, and a start that refuses what is weak or missing."""

from flowlet.settings.base import *  # noqa: F403
from flowlet.settings.base import env

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
SECRET_KEY = env.str("SECRET_KEY")
FIELD_KEYS = env.str("FIELD_KEYS")
INDEX_KEYS = env.str("INDEX_KEYS")
AUDIT_MAC_KEYS = env.str("AUDIT_MAC_KEYS")
CLIENT_PEPPER = env.str("CLIENT_PEPPER")
JWT_KEYS = env.str("JWT_KEYS")
ANCHOR_KEYS = env.str("ANCHOR_KEYS")

SECURE_SSL_REDIRECT = True
# Probes come from inside the cluster, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-flowlet"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
