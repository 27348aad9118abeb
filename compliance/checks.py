"""A start-up check: a live house files under its own name."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SANDBOX_TCC, SANDBOX_TIN = "SANDBOX0", "000000000"
_TIN = re.compile(r"[0-9]{9}")


@register()
def the_filer_is_named(**_: Any) -> list[CheckMessage]:
    """Refuse to start in live mode while reports would go out with the sandbox's name and numbers, or empty parts."""
    if settings.FLOWLET_MODE != "live":
        return []
    filer: dict[str, str] = settings.FILER
    faults = {
        "FILER_TCC": filer["tcc"] == SANDBOX_TCC,
        "FILER_TIN": filer["tin"] == SANDBOX_TIN or not _TIN.fullmatch(filer["tin"]),
        "FILER_NAME": "sandbox" in filer["name"].lower(),
        "FILER_STREET": "sandbox" in filer["street"].lower(),
        **{f"FILER_{name.upper()}": True for name, value in filer.items() if not value.strip()},
    }
    return [
        Error(
            f"{name} is missing, not valid or the sandbox's: reports to the authority need the institution's own.",
            id="compliance.E001",
        )
        for name, wrong in faults.items()
        if wrong
    ]
