"""What is given wins over what would be started; keys are made once."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flowlet.local import commands
from flowlet.local.environment import SECRETS, given, read_env_file
from flowlet.local.errors import LauncherError
from flowlet.local.keys import make_keys
from flowlet.local.locks import FileLock
from flowlet.local.paths import CHECKOUT, Paths
from flowlet.local.static import mark_static_current, static_is_current

_EXEC = """
import sys
from pathlib import Path
from flowlet.local.commands import execute
from flowlet.local.paths import Paths
execute(Paths(checkout=Path(sys.argv[1]), var=Path(sys.argv[1]) / "var"), sys.argv[2:], "")
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(checkout=tmp_path, var=tmp_path / "var")


def _exec(folder: Path, command: list[str]) -> "subprocess.CompletedProcess[str]":
    urls = {"DATABASE_URL": "postgres://given/one", "REDIS_URL": "redis://given"}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), **urls}
    start = [sys.executable, "-c", _EXEC, str(folder), *command]
    return subprocess.run(start, env=environment, capture_output=True, text=True, check=False)


def test_given_urls_are_used_and_nothing_is_started(paths: Paths) -> None:
    result = _exec(paths.checkout, ["sh", "-c", "echo $DATABASE_URL $REDIS_URL; exit 7"])

    assert result.stdout == "postgres://given/one redis://given\n"
    assert result.returncode == 7
    assert not paths.postgres.exists()
    assert not paths.redis.exists()


def test_keys_are_made_once_and_reach_the_command(paths: Paths) -> None:
    first = _exec(paths.checkout, ["sh", "-c", "echo $FIELD_KEYS $JWT_KEYS"]).stdout
    second = _exec(paths.checkout, ["sh", "-c", "echo $FIELD_KEYS $JWT_KEYS"]).stdout

    assert first == second
    assert first.startswith("1:")
    assert " local-1:" in first
    assert len(read_env_file(paths.keys)) == 7


def test_a_secret_that_a_file_lacks_is_added_and_the_others_stay(paths: Paths) -> None:
    _exec(paths.checkout, ["true"])
    whole = paths.keys.read_text()
    # As before there were anchors, changed by hand, and without its last line break.
    older = "".join(line for line in whole.splitlines(keepends=True) if "ANCHOR_KEYS" not in line)
    older += "# mine\nEXTRA=1"
    paths.keys.write_text(older)

    first = _exec(paths.checkout, ["sh", "-c", "echo $ANCHOR_KEYS $EXTRA"]).stdout
    second = _exec(paths.checkout, ["sh", "-c", "echo $ANCHOR_KEYS $EXTRA"]).stdout

    assert first == second
    assert first.startswith("1:")
    assert first.endswith(" 1\n")
    assert paths.keys.read_text() == f"{older}\nANCHOR_KEYS={first.split()[0]}\n"
    assert stat.S_IMODE(paths.keys.stat().st_mode) == 0o600


def test_the_secrets_that_are_looked_for_are_those_that_are_made() -> None:
    assert set(make_keys()) == set(SECRETS)


def test_a_command_that_does_not_exist_is_named(paths: Paths) -> None:
    result = _exec(paths.checkout, ["no-such-command"])

    assert "There is no command no-such-command." in result.stderr


def test_the_environment_wins_over_the_env_file(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.dotenv.write_text(
        "# mine\nexport REDIS_URL=\"redis://file\"\nEXTRA='a=b'\n\nDATABASE_URL=postgres://file\n"
    )
    monkeypatch.setenv("DATABASE_URL", "postgres://environment")
    monkeypatch.delenv("REDIS_URL", raising=False)

    found = given(paths)

    assert (found["DATABASE_URL"], found["REDIS_URL"], found["EXTRA"]) == (
        "postgres://environment",
        "redis://file",
        "a=b",
    )


def test_a_second_run_is_refused_while_one_runs(paths: Paths) -> None:
    held = FileLock(paths.run / "run.lock").take()

    with pytest.raises(LauncherError, match="already runs in this checkout"):
        commands.run(paths, 8000)

    held.release()


def test_cleaning_a_checkout_in_which_nothing_ever_ran_is_fine(paths: Paths) -> None:
    commands.clean(paths)

    assert not paths.var.exists()


def test_static_files_are_collected_again_only_after_a_change(paths: Paths) -> None:
    style = paths.checkout / "static" / "house.css"
    style.parent.mkdir()
    style.write_text("a")
    (paths.var / "static").mkdir(parents=True)
    assert not static_is_current(paths)

    mark_static_current(paths)
    assert static_is_current(paths)

    style.write_text("ab")
    assert not static_is_current(paths)
