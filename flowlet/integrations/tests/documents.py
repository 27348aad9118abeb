"""Where the vendors' OpenAPI documents lie: beside the project, never in it."""

import os
from pathlib import Path

SPECS = Path(os.environ.get("FLOWLET_SPECS", Path(__file__).resolve().parents[4] / "shared/data/specs"))
# CI sets this: absent documents are a failure there, not a reason to look away.
REQUIRED = os.environ.get("FLOWLET_SPECS_REQUIRED") == "1"
