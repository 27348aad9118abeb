"""Compliance as a Django application."""

from importlib import import_module
from pkgutil import iter_modules

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ComplianceConfig(AppConfig):
    """Who a customer is, and whether anybody is on a list."""

    name = "compliance"
    label = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        """Load every list format and scenario, listen to lower rooms, and put our pages into the back office."""
        for package in ("lists", "scenarios"):
            found = import_module(f"compliance.{package}")
            for module in iter_modules(found.__path__, f"compliance.{package}."):
                import_module(module.name)
        for name in (
            *("receivers", "admin_lists", "admin_today"),
            *("operations.cases_deciding", "operations.monitoring_versions"),
            *("admin_cases", "admin_monitoring", "admin_cases_today"),
            *("operations.reports", "admin_reports", "admin_filings"),
        ):
            import_module(f"compliance.{name}")
        installing = import_module("compliance.installing")
        post_migrate.connect(installing.after_migrate, sender=self, dispatch_uid="compliance.install")
