"""The journal: every call with an effect in order, so that a restarted simulator is where it was."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from flowlet.integrations.simulation.protocol import Call


class Journal:
    """Append-only file of calls; reading it back and making the calls again rebuilds all books and ids."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def append(self, vendor: str, call: Call, at: float, *, failed: bool) -> None:
        """Note one call that was carried out, and whether a 500 was answered. Credentials are left out."""
        if self.path is None or call.method == "GET":
            return
        kept = {name: value for name, value in call.headers.items() if name in _HEADERS}
        entry = {
            "at": at,
            "failed": failed,
            "vendor": vendor,
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "headers": kept,
            "body": base64.b64encode(call.body).decode(),
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def entries(self) -> Iterator[tuple[float, str, Call, bool]]:
        """Yield what was noted: time, vendor, call, whether it was answered with a 500. A line cut by a crash ends it."""
        if self.path is None or not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                return
            call = Call(
                entry["method"],
                entry["path"],
                entry["query"],
                entry["headers"],
                base64.b64decode(entry["body"]),
            )
            yield entry["at"], entry["vendor"], call, entry["failed"]

    def clear(self) -> None:
        """Forget what was noted."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


_HEADERS = frozenset({"content-type", "idempotency-key"})
