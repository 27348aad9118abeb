"""Compliance as a Django application."""

from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    """Who a customer is, and whether anybody is on a list."""

    name = "compliance"
    label = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        """Load every list format, listen to identity, and put our pages into the back office."""
        lists = import_module("compliance.lists")
        for module in iter_modules(lists.__path__, "compliance.lists."):
            import_module(module.name)
        for name in ("receivers", "admin_lists", "admin_today"):
            import_module(f"compliance.{name}")
