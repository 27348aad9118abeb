"""Settings of the benchmarks: those of the tests, with the peers installed beside us in one throw-away database."""

from flowlet.settings.test import *  # noqa: F403
from flowlet.settings.test import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "mptt", "djmoney", "hordak", "bench.naive"]
DEFAULT_CURRENCY = "EUR"
CURRENCIES = ["EUR"]
HORDAK_CURRENCIES = ["EUR"]
