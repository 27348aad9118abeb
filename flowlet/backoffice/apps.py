"""The back office as a Django app; its pages of identity, audit and events are imported at start-up."""

from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    """Register the app and load every page of `pages/` by itself, so that a new page is one new file."""

    name = "flowlet.backoffice"
    label = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        """Import our own pages; Django's admin app imports each app's `admin.py`."""
        from flowlet.backoffice import jobs

        jobs.connect()
        pages = import_module("flowlet.backoffice.pages")
        for page in iter_modules(pages.__path__):
            import_module(f"{pages.__name__}.{page.name}")
