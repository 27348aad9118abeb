"""A start-up check: no account is sharded that is read by itself."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from ledger.policies import NEVER_SHARDED


@register()
def what_is_sharded_may_be(**_: Any) -> list[CheckMessage]:
    """Refuse to start while `LEDGER_SHARDS` names a heading whose accounts must stay whole."""
    return [
        Error(
            f"LEDGER_SHARDS names {code}, whose accounts stay whole: {NEVER_SHARDED[code]}.",
            hint=f"Take {code} out of LEDGER_SHARDS.",
            id="ledger.E001",
        )
        for code in settings.LEDGER_SHARDS
        if code in NEVER_SHARDED
    ]
