"""`make run`: the real thing on one machine, over plain HTTP on the loopback address."""

import environ

from flowlet.settings.base import *  # noqa: F403
from flowlet.settings.base import BASE_DIR

# The launcher makes the keys once for each checkout; commands started by hand read them here.
environ.Env.read_env(BASE_DIR / "var" / "keys.env")

from flowlet.settings.base import env  # noqa: E402

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SECRET_KEY = env.str("SECRET_KEY")
FIELD_KEYS = env.str("FIELD_KEYS")
INDEX_KEYS = env.str("INDEX_KEYS")
AUDIT_MAC_KEYS = env.str("AUDIT_MAC_KEYS")
CLIENT_PEPPER = env.str("CLIENT_PEPPER")
JWT_KEYS = env.str("JWT_KEYS")
# The launcher adds it to a checkout older than anchors; until it has run there, commands by hand go on without.
ANCHOR_KEYS = env.str("ANCHOR_KEYS", default="")
