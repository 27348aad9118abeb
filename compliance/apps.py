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
        """Load every list format, and listen to identity."""
        lists = import_module("compliance.lists")
        for module in iter_modules(lists.__path__, "compliance.lists."):
            import_module(module.name)
        import_module("compliance.receivers")
