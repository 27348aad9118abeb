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
        """Load every list format, identity provider and scenario, listen to lower rooms, and put our pages up."""
        for room in ("compliance.lists", "compliance.identity_providers", "compliance.scenarios"):
            for module in iter_modules(import_module(room).__path__, f"{room}."):
                import_module(module.name)
        for name in (
            *("receivers", "admin_lists", "admin_today", "tasks_kyc"),
            *("admin_kyc", "admin_kyc_actions", "admin_kyc_today"),
            *("operations.cases_deciding", "operations.monitoring_versions"),
            *("admin_cases", "admin_case_actions", "admin_cases_today", "admin_drafts"),
            *("admin_monitoring", "admin_scenario_changes"),
            *("operations.reports", "admin_reports", "admin_report_actions", "checks", "admin_filings"),
        ):
            import_module(f"compliance.{name}")
        from compliance import installing, installing_kyc  # need loaded models

        post_migrate.connect(installing_kyc.after_migrate, sender=self, dispatch_uid="compliance.kyc")
        post_migrate.connect(installing.after_migrate, sender=self, dispatch_uid="compliance.install")
