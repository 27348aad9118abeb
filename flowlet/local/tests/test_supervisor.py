"""Programs that die, that stay and that were left over."""

import os
import sys
from pathlib import Path

import pytest

from flowlet.local.errors import LauncherError
from flowlet.local.paths import Paths, make_folder
from flowlet.local.processes import is_running, wait_until
from flowlet.local.supervisor import Program, Supervisor, stop_left_over

_STAYS = "import time; print('up', flush=True); time.sleep(60)"
_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths(checkout=tmp_path, var=tmp_path / "var")
    make_folder(paths.log)
    make_folder(paths.run)
    return paths


def _program(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code))


def _pid_of(paths: Paths, name: str) -> int:
    log = paths.log / f"{name}.log"
    wait_until(lambda: "up" in log.read_text(), 10)
    return int(next(p for p in Path("/proc").iterdir() if p.name.isdigit() and _writes_to(p, log)).name)


def _writes_to(process: Path, log: Path) -> bool:
    try:
        return (process / "fd" / "1").readlink() == log
    except OSError:
        return False


def test_a_program_that_dies_is_named_with_its_last_words(paths: Paths) -> None:
    supervisor = Supervisor(paths, os.environ)
    supervisor.start([_program("steady", _STAYS), _program("fragile", "raise SystemExit('no fuel')")])

    with pytest.raises(LauncherError, match=r"(?s)fragile ended with exit code 1.*no fuel"):
        supervisor.watch()

    supervisor.stop()


def test_stopping_ends_every_program(paths: Paths) -> None:
    supervisor = Supervisor(paths, os.environ)
    steady = _program("steady", _STAYS)
    supervisor.start([steady])
    pid = _pid_of(paths, "steady")
    assert is_running(pid, steady.marker)

    supervisor.stop()

    assert not is_running(pid, steady.marker)


def test_a_program_that_will_not_stop_is_killed_when_its_grace_is_over(paths: Paths) -> None:
    supervisor = Supervisor(paths, os.environ, grace_s=0.2)
    deaf = _program("deaf", _DEAF)
    supervisor.start([deaf])
    pid = _pid_of(paths, "deaf")

    supervisor.stop()

    assert not is_running(pid, deaf.marker)


def test_programs_of_a_killed_supervisor_are_ended_by_the_next(paths: Paths) -> None:
    first = Supervisor(paths, os.environ)
    steady = _program("steady", _STAYS)
    first.start([steady])
    pid = _pid_of(paths, "steady")

    ended = stop_left_over(paths)

    assert ended == 1
    assert not is_running(pid, steady.marker)
    first.stop()


def test_a_strangers_process_with_a_noted_number_is_left_alone(paths: Paths) -> None:
    (paths.run / "programs.json").write_text(
        f'{{"programs": [{{"pid": {os.getpid()}, "marker": "another program"}}]}}'
    )

    assert stop_left_over(paths) == 0
