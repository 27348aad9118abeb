"""
Under which account the servers run.

PostgreSQL refuses to run as root. Three ways, in this order: an ordinary user runs it as himself; root runs it as
`nobody`; and where `nobody` cannot read the virtualenv or the checkout (a home with mode 0700, say), root runs it
inside a user namespace in which root appears as an ordinary user. None of them changes a permission outside var/.
"""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowlet.local.errors import LauncherError
from flowlet.local.paths import give_to_owner
from flowlet.local.processes import remember, size

_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_REACH = 'cd "$1" && exec "$2" --version'
_KEPT = ("PATH", "TZ", "TMPDIR")


@dataclass(frozen=True)
class Account:
    """An identity for servers: another user's number, a command prefix, or neither (ourselves)."""

    uid: int | None = None
    gid: int | None = None
    prefix: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How to call it in a message."""
        if self.prefix:
            return "an ordinary user in a namespace"
        return str(os.geteuid() if self.uid is None else self.uid)

    def _options(self) -> dict[str, Any]:
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make the account owner of a file or folder of ours."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def call(self, command: Sequence[str | Path]) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end under the account; standard error is part of the output."""
        return subprocess.run(
            [*self.prefix, *map(str, command)],
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._options(),
        )

    def spawn(self, command: Sequence[str | Path], *, log: Path, cwd: Path, stdin: bytes = b"") -> "Spawned":
        """Start a server that outlives us, in a session of its own, writing to the log."""
        start = size(log)
        with log.open("ab") as output:
            give_to_owner(log)
            process = subprocess.Popen(
                [*self.prefix, *map(str, command)],
                cwd=cwd,
                env=clean_environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._options(),
            )
        remember(process)
        if process.stdin is not None:
            try:
                process.stdin.write(stdin)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended at once: whoever waits for it finds the reason in the log
        return Spawned(process=process, log_start=start)


@dataclass(frozen=True)
class Spawned:
    """A server just started, and where its part of the log begins (in bytes)."""

    process: "subprocess.Popen[bytes]"
    log_start: int


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the few variables a server needs: none of ours that hold secrets, no PG* that would redirect it."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"LC_ALL": "C", **(extra or {})}


def choose_account(*, data: Path, binary: Path) -> Account:
    """
    Decide who runs a server whose files lie in `data` (existing or to be made in an existing folder).

    Root runs it as the owner of the data, or of the folder it will lie in: it may be a user's checkout.

    :raises LauncherError: if no account can both own the data and run the program
    """
    owner = (data if data.exists() else data.parent).stat()
    if os.geteuid() != 0:
        return _as_ourselves(data, owner)
    if owner.st_uid != 0:
        account = Account(uid=owner.st_uid, gid=owner.st_gid)
        if _reaches(account, data.parent, binary):
            return account
        raise LauncherError(
            f"{data} belongs to user number {owner.st_uid}, who cannot reach it or {binary}.\n"
            "Move the virtualenv to where that user can read it, or remove the data with `make clean`."
        )
    if not data.exists():
        nobody = _nobody()
        if nobody is not None and _reaches(nobody, data.parent, binary):
            return nobody
    return _in_namespace(data, binary)


def _as_ourselves(data: Path, owner: os.stat_result) -> Account:
    if owner.st_uid != os.geteuid():
        raise LauncherError(
            f"{data} belongs to another user (number {owner.st_uid}): run this as that user or as root, "
            "or use a checkout of your own."
        )
    return Account()


def _nobody() -> Account | None:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _in_namespace(data: Path, binary: Path) -> Account:
    account = Account(prefix=_NAMESPACE)
    try:
        usable = _reaches(account, data.parent, binary)
    except FileNotFoundError:
        usable = False
    if usable:
        return account
    raise LauncherError(
        "A database server cannot run as root, the user `nobody` cannot read this checkout or its virtualenv, and\n"
        "this machine has no user namespaces. Any of these helps: run as an ordinary user; move the checkout to a\n"
        "folder that everybody may read; or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def _reaches(account: Account, folder: Path, binary: Path) -> bool:
    # The shell changes the folder after the change of user: subprocess' own `cwd` would still do it as root.
    return account.call(["/bin/sh", "-c", _REACH, "sh", folder, binary]).returncode == 0
