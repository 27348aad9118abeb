"""Who runs the servers: never root."""

import os
import pwd
import subprocess
import uuid
from pathlib import Path

import pytest

from flowlet.local.accounts import Account, choose_account
from flowlet.local.errors import LauncherError
from flowlet.local.locks import FileLock
from flowlet.local.paths import make_folder, write_private


@pytest.fixture
def folder(open_folder: Path) -> Path:
    """A folder that every user may enter, with a program in it."""
    path = open_folder / str(uuid.uuid4())
    path.mkdir()
    program = path / "program"
    program.write_text("#!/bin/sh\necho version\n")
    program.chmod(0o755)
    return path


def _has_namespaces() -> bool:
    return subprocess.run(["unshare", "--user", "--map-user=1000", "true"], check=False).returncode == 0


def test_root_hands_new_data_to_nobody_and_others_keep_it_themselves(folder: Path) -> None:
    account = choose_account(data=folder / "data", binary=folder / "program")

    nobody = pwd.getpwnam("nobody")
    expected = Account(uid=nobody.pw_uid, gid=nobody.pw_gid) if os.geteuid() == 0 else Account()
    assert account == expected


def test_where_nobody_cannot_read_root_hides_in_a_namespace_and_changes_no_permission(folder: Path) -> None:
    folder.chmod(0o700)

    if os.geteuid() == 0 and not _has_namespaces():  # most containers
        with pytest.raises(LauncherError, match="DATABASE_URL"):
            choose_account(data=folder / "data", binary=folder / "program")
    else:
        account = choose_account(data=folder / "data", binary=folder / "program")

        assert account.uid is None
        assert account.call(["id", "-u"]).stdout.strip() != "0"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_existing_data_decides_by_its_owner_when_root_starts_it(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    owner = pwd.getpwnam("daemon").pw_uid if os.geteuid() == 0 else os.geteuid()
    os.chown(data, owner, -1)

    account = choose_account(data=data, binary=folder / "program")

    assert account.call(["id", "-u"]).stdout.strip() == str(owner)


def test_data_whose_owner_cannot_reach_the_program_is_refused_with_the_way_out(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    missing = folder / "no-such-program"
    if os.geteuid() == 0:
        os.chown(data, pwd.getpwnam("nobody").pw_uid, -1)

        with pytest.raises(LauncherError, match="make clean"):
            choose_account(data=data, binary=missing)
    else:
        with pytest.raises(LauncherError, match="another user"):
            choose_account(data=Path("/"), binary=missing)


def test_what_root_makes_in_a_users_checkout_belongs_to_the_user(folder: Path) -> None:
    owner = pwd.getpwnam("daemon").pw_uid if os.geteuid() == 0 else os.geteuid()
    os.chown(folder, owner, -1)

    made = make_folder(folder / "var" / "run")
    write_private(made / "state.json", "{}")
    FileLock(made / "some.lock").release()

    assert {path.stat().st_uid for path in (made.parent, made, *made.iterdir())} == {owner}
