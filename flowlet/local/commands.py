"""What `make` asks the launcher to do: run, exec, stop, clean, status, demo."""

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from flowlet.local.environment import DATABASE, embedded, given, in_use, servers_of, start_servers
from flowlet.local.errors import LauncherError
from flowlet.local.house import House
from flowlet.local.locks import FileLock, exclusive
from flowlet.local.paths import Paths, make_folder, read_state, write_state
from flowlet.local.postgres import tool_folders
from flowlet.local.processes import wait_until
from flowlet.local.steps import Progress, say
from flowlet.local.supervisor import stop_left_over

_SERVER_STEPS = 2
_STOP_S = 60.0


def run(paths: Paths, port: int) -> int:
    """
    Start everything and stay until Ctrl-C, SIGTERM or the death of a part; then stop everything.

    :returns: the exit code: 1 when something did not start or ended by itself, having said what and why
    :raises LauncherError: if it runs already
    """
    lock = _only_run(paths)
    lease = in_use(paths).share()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    house, code = None, 0
    try:
        stop_left_over(paths)
        progress = Progress(total=_SERVER_STEPS + House.STEPS)
        house = House(paths, start_servers(paths, progress), progress, port)
        house.open()
        house.watch()
    except KeyboardInterrupt:
        say("")
    except LauncherError as error:
        say(f"\n{error}\n")
        code = 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # one wish to stop is enough
        say("Stopping … ", end="")
        if house is not None:
            house.close()
        say(_stop_servers_if_unused(paths, lease))
        lock.release()
    return code


def execute(paths: Paths, command: Sequence[str], alone: str) -> NoReturn:
    """
    Become the given command, with the servers running and the environment that reaches them.

    :param alone: a name under which only one command of this checkout runs at a time; '' for none
    :raises LauncherError: if the servers do not start or the command does not exist
    """
    in_use(paths).share().keep_across_exec()
    if alone:
        _wait_for_turn(paths, alone).keep_across_exec()
    environment = start_servers(paths, Progress(total=_SERVER_STEPS, stream=sys.stderr))
    environment["PATH"] = os.pathsep.join(
        [
            os.path.dirname(sys.executable),  # noqa: PTH120 - resolving links would leave the virtualenv
            environment.get("PATH", os.defpath),
            *tool_folders(),
        ]
    )
    found = shutil.which(command[0], path=environment["PATH"])
    if found is None:
        raise LauncherError(f"There is no command {command[0]}.")
    sys.stdout.flush()
    os.execve(found, list(command), environment)  # noqa: S606 - becoming the command is the point


def stop(paths: Paths) -> None:
    """End what runs for this checkout: programs first, servers last."""
    if not paths.var.exists():
        say("Nothing runs.")
        return
    ended = _stop_run(paths)
    ended += [f"{count} program(s) left over"] if (count := stop_left_over(paths)) else []
    if not in_use(paths).try_take():
        say("The servers are in use by another command of this checkout; it will fail now.")
    with exclusive(paths.run / "start.lock"):
        servers = servers_of(paths)
        ended += ["PostgreSQL"] if servers.postgres.stop() else []
        ended += ["Redis"] if servers.redis.stop() else []
    say(f"Stopped: {', '.join(ended)}." if ended else "Nothing runs.")


def clean(paths: Paths) -> None:
    """
    End everything and remove its data.

    :raises LauncherError: if some of it belongs to another user
    """
    stop(paths)
    try:
        if paths.var.exists():
            shutil.rmtree(paths.var)
    except PermissionError as error:
        raise LauncherError(
            f"{error.filename} belongs to another user: run `make clean` as that user or as root."
        ) from error
    say(f"Removed {paths.var}.")


def status(paths: Paths) -> None:
    """Say what runs."""
    servers = servers_of(paths)
    current = read_state(paths.run / "run.json") if _run_is_active(paths) else None
    say(f"PostgreSQL  {servers.postgres.describe()}")
    say(f"Redis       {servers.redis.describe()}")
    say(f"Flowlet     {'running at ' + current['url'] if current else 'not running'}")
    first = (current or {}).get("vendors")
    say(f"Vendors     {f'simulated on port {first} and the next three' if first else 'not running'}")


def demo(paths: Paths) -> None:
    """
    Throw the demo data away and make it again.

    :raises LauncherError: if `make run` is using it, or the database is not this checkout's own
    """
    lock = _only_run(paths)
    lease = in_use(paths).share()
    progress = Progress(total=_SERVER_STEPS + 1 + House.DATA_STEPS)
    environment = start_servers(paths, progress)
    if not embedded(environment, paths):
        raise LauncherError(
            "DATABASE_URL is a database of yours; the launcher drops only the one it made itself."
        )
    servers = servers_of(paths)
    with exclusive(paths.run / "start.lock"), progress.step("Empty database") as step:
        database = given(paths).get("FLOWLET_DB_NAME") or DATABASE
        servers.postgres.drop(database)
        servers.postgres.start(database)
        step.outcome = "made"
    paths.vendors.unlink(missing_ok=True)  # what the simulated vendors remember belongs to the old data
    House(paths, environment, progress, 0).prepare_data()
    say(_stop_servers_if_unused(paths, lease))
    lock.release()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _only_run(paths: Paths) -> FileLock:
    lock = FileLock(paths.run / "run.lock")
    if not lock.try_take():
        current = read_state(paths.run / "run.json") or {}
        raise LauncherError(
            f"Flowlet already runs in this checkout: {current.get('url', 'it is starting')} "
            f"(process {current.get('pid', 'unknown')}). `make stop` ends it."
        )
    make_folder(paths.log)
    write_state(paths.run / "run.json", {"pid": os.getpid(), "url": "it is starting"})
    return lock


def _run_is_active(paths: Paths) -> bool:
    if not paths.run.exists():
        return False
    lock = FileLock(paths.run / "run.lock")
    free = lock.try_take()
    lock.release()
    return not free


def _stop_run(paths: Paths) -> list[str]:
    pid = (read_state(paths.run / "run.json") or {}).get("pid")
    if pid is None or not _run_is_active(paths):
        return []
    os.kill(pid, signal.SIGTERM)
    if not wait_until(lambda: not _run_is_active(paths), _STOP_S):
        os.kill(pid, signal.SIGKILL)
    return ["Flowlet"]


def _wait_for_turn(paths: Paths, name: str) -> FileLock:
    lock = FileLock(paths.run / f"{name}.lock")
    if not lock.try_take():
        say(f"Another `{name}` of this checkout is running; waiting for it to end.")
        lock.take()
    return lock


def _stop_servers_if_unused(paths: Paths, lease: FileLock) -> str:
    if not lease.try_take():
        return "done; the servers stay for another command that uses them."
    servers = servers_of(paths)
    servers.postgres.stop()
    servers.redis.stop()
    return "done."
