"""
Makes the virtualenv and installs a list of packages into it, with the lock, showing how far it is.

Run by `make` with the system's Python: `python3 -m flowlet.local.install --venv .venv requirements-dev.txt`. A note in
the virtualenv says what was installed, by content, so the next call takes no time and a changed list is noticed.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from flowlet.local.errors import LauncherError
from flowlet.local.locks import exclusive
from flowlet.local.paths import default_paths, make_folder, read_state, write_state
from flowlet.local.processes import tail
from flowlet.local.steps import say

_LOCK = "constraints.txt"
_LISTS = (
    "requirements.txt",
    "requirements-local.txt",
    "requirements-dev.txt",
)  # each contains the one before
# Goes with the last of them, and takes nothing else along: pip knows no such mark within a list.
_BARE = "requirements-bare.txt"
_SHOW_EVERY_S = 2.0


def install(venv: Path, wanted: str) -> None:
    """
    Make sure that the virtualenv holds the packages of the wanted list.

    :raises LauncherError: if the virtualenv cannot be made or a package cannot be installed
    """
    paths = default_paths()
    with exclusive(make_folder(paths.run) / "install.lock"):
        note, state = venv / "flowlet-installed.json", _state(paths.checkout)
        _make_venv(venv)
        installed = read_state(note) or {}
        if installed.get("state") == state and _LISTS.index(installed["list"]) >= _LISTS.index(wanted):
            return
        begun = time.monotonic()
        say(f"Installing {wanted} into {venv} (about a minute the first time)")
        log = make_folder(paths.log) / "install.log"
        log.unlink(missing_ok=True)
        _pip(venv, paths.checkout, ["-r", wanted, "-c", _LOCK], log)
        if wanted == _LISTS[-1]:
            _pip(venv, paths.checkout, ["--no-deps", "-r", _BARE], log)
        write_state(note, {"state": state, "list": wanted})
        say(f"Installed ({time.monotonic() - begun:.0f} s).")


def _state(checkout: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in (*_LISTS, _BARE, _LOCK):
        digest.update((checkout / name).read_bytes())
    return digest.hexdigest()


def _make_venv(venv: Path) -> None:
    if _works(venv):
        return
    if venv.exists() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").exists():
        raise LauncherError(f"{venv} is not a virtualenv: move it away, or choose another place with VENV=…")
    shutil.rmtree(venv, ignore_errors=True)
    say(f"Making the virtualenv {venv} with Python {sys.version.split()[0]}")
    result = subprocess.run(
        [sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise LauncherError(
            f"The virtualenv could not be made (on Debian and Ubuntu: apt install python3-venv).\n{result.stdout}{result.stderr}"
        )


def _works(venv: Path) -> bool:
    """Tell whether the virtualenv's Python still starts: it does not once the Python it was made from is gone."""
    python = venv / "bin" / "python"
    return (
        python.exists()
        and subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
    )


def _pip(venv: Path, checkout: Path, what: list[str], log: Path) -> None:
    command = [
        str(venv / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--progress-bar", "off", *what]
    with log.open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        meter = _Meter()
        for line in process.stdout or ():
            output.write(line)
            meter.take(line)
        meter.end()
    if process.wait() != 0:
        raise LauncherError(f"pip could not install {' '.join(what)}. The end of {log}:\n{tail(log, 15)}")


class _Meter:
    """Turns pip's lines into a short account, at most one line every few seconds."""

    def __init__(self) -> None:
        self._seen = 0
        self._shown_at = time.monotonic()

    def take(self, line: str) -> None:
        """Read one line of pip."""
        if line.startswith("Installing collected packages"):
            say("  unpacking …")
        if not line.startswith("Collecting "):
            return
        self._seen += 1
        if time.monotonic() - self._shown_at >= _SHOW_EVERY_S:
            self._shown_at = time.monotonic()
            say(f"  {self._seen} packages found, now {line.split()[1]}")

    def end(self) -> None:
        say(f"  {self._seen} packages")


def main() -> int:
    """Do what the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m flowlet.local.install")
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("list", choices=_LISTS)
    arguments = parser.parse_args()
    try:
        install(arguments.venv.absolute(), arguments.list)
    except LauncherError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
