"""Where the launcher keeps things: all of it under one folder of the checkout, so that two checkouts never meet."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Paths:
    """The folders and files of one checkout's servers."""

    checkout: Path
    var: Path

    @property
    def postgres(self) -> Path:
        """Data directory, port and password of PostgreSQL."""
        return self.var / "postgres"

    @property
    def redis(self) -> Path:
        """Working directory, port and password of Redis."""
        return self.var / "redis"

    @property
    def log(self) -> Path:
        """One log file for each server and program."""
        return self.var / "log"

    @property
    def run(self) -> Path:
        """Locks and the list of running programs."""
        return self.var / "run"

    @property
    def metrics(self) -> Path:
        """Counters that the web and worker processes share (PROMETHEUS_MULTIPROC_DIR)."""
        return self.var / "metrics"

    @property
    def vendors(self) -> Path:
        """What the simulated vendors were asked, from which they come back with the same books."""
        return self.var / "vendors.journal"

    @property
    def keys(self) -> Path:
        """Secrets made for this checkout, readable by its owner alone."""
        return self.var / "keys.env"

    @property
    def dotenv(self) -> Path:
        """Settings that a person wrote down for this checkout."""
        return self.checkout / ".env"


def default_paths() -> Paths:
    """Return the paths of the checkout that this file lies in."""
    return Paths(checkout=CHECKOUT, var=CHECKOUT / "var")


def make_folder(folder: Path) -> Path:
    """Create a folder that other accounts may pass through but not list, whatever the umask says; return it."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)  # the database's own account (see accounts.py) has to reach its data below
        give_to_owner(folder)
    return folder


def give_to_owner(path: Path) -> None:
    """Make what root created belong to the owner of the folder it lies in, who may go on without root."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def write_private(path: Path, text: str) -> None:
    """Replace a file's content in one step; only the owner may read it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    give_to_owner(draft)
    draft.replace(path)


def read_state(path: Path) -> dict[str, Any] | None:
    """Return what `write_state` stored, or None when the file is missing or was cut short."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Store a small JSON object that may hold a password."""
    write_private(path, json.dumps(state, indent=1))
