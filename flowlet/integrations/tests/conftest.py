"""The vendors' documents judge only where they are; one loud line says when they are not."""

from flowlet.integrations.tests.documents import REQUIRED, SPECS

collect_ignore = [] if SPECS.is_dir() or REQUIRED else ["test_vendor_documents.py"]


def pytest_report_header():
    return f"vendors' documents: NOT at {SPECS}, their judgement is left out" if collect_ignore else None
