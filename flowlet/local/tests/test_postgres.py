"""A real PostgreSQL of the test's own: started, killed, started again."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from flowlet.local.accounts import choose_account
from flowlet.local.errors import LauncherError
from flowlet.local.paths import CHECKOUT
from flowlet.local.ports import LOOPBACK
from flowlet.local.postgres import Postgres, find_binaries
from flowlet.local.processes import is_running, wait_until


@pytest.fixture
def server(open_folder: Path) -> Iterator[Postgres]:
    """One data directory for the whole file: making it is the slow part."""
    server = Postgres(open_folder / "postgres", open_folder / "postgres.log")
    server.start("flowlet")
    yield server
    server.stop()


def _is_gone(pid: int) -> bool:
    return not is_running(pid, "")


def _ask(server: Postgres, sql: str, database: str = "flowlet") -> str:
    return server.ask(database, sql)


def test_it_is_postgresql_18_and_a_second_start_reuses_it(server: Postgres) -> None:
    pid = server.pid

    started = server.start("flowlet")

    assert not started
    assert server.pid == pid
    assert _ask(server, "SELECT version()").startswith("PostgreSQL 18.")


def test_a_killed_server_starts_again_and_has_lost_nothing(server: Postgres) -> None:
    _ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    pid = server.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.pid is None, 5)
    started = server.start("flowlet")

    assert started
    assert _ask(server, "SELECT answer FROM kept") == "42"


def test_a_stale_note_with_the_number_of_a_living_stranger_is_no_obstacle(
    server: Postgres, open_folder: Path
) -> None:
    data = open_folder / "postgres" / "data"
    note = (data / "postmaster.pid").read_text().splitlines()
    server.stop()
    account = choose_account(data=data, binary=find_binaries() / "postgres")
    stranger = account.spawn(["sleep", "60"], log=open_folder / "stranger.log", cwd=Path("/")).process
    (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *note[1:]]) + "\n")
    account.give(data / "postmaster.pid")

    started = server.start("flowlet")

    assert started
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_port_taken_meanwhile_is_left_alone(server: Postgres) -> None:
    port = server.port
    server.stop()

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, port))
        other.listen()
        server.start("flowlet")

    assert server.port != port
    assert _ask(server, "SELECT 1") == "1"


def test_nobody_gets_in_without_the_password(server: Postgres) -> None:
    login = {"PGHOST": LOOPBACK, "PGPORT": str(server.port), "PGUSER": "flowlet", "PGPASSWORD": "guess"}

    answer = subprocess.run(
        [find_binaries() / "psql", "-X", "-c", "SELECT 1", "postgres"],
        env=login,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode != 0
    assert "password authentication failed" in answer.stderr


def test_search_in_other_scripts_works(server: Postgres) -> None:
    _ask(server, "CREATE EXTENSION IF NOT EXISTS pg_trgm")

    assert _ask(server, "SELECT lower('ŻÓŁĆ ДЖ'), similarity('Дмитрий', 'Дмитрия') > 0.4") == "żółć дж|t"


def test_a_database_is_made_on_demand_and_dropped_while_in_use(server: Postgres) -> None:
    server.start('odd "name"')
    assert _ask(server, "SELECT current_database()", 'odd "name"') == 'odd "name"'

    server.drop('odd "name"')

    with pytest.raises(LauncherError, match="does not exist"):
        _ask(server, "SELECT 1", 'odd "name"')


def test_a_data_directory_of_somebody_else_is_refused_and_not_touched(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")

    with pytest.raises(LauncherError, match="not made by this launcher"):
        Postgres(tmp_path / "postgres", tmp_path / "log").start("flowlet")

    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_data_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")
    (tmp_path / "postgres" / "server.json").write_text('{"password": "x", "port": 1}')

    with pytest.raises(LauncherError, match="of PostgreSQL 15, the installed one is 18"):
        Postgres(tmp_path / "postgres", tmp_path / "log").start("flowlet")


_START = """
import sys
from pathlib import Path
from flowlet.local.environment import servers_of, start_servers
from flowlet.local.paths import Paths
from flowlet.local.steps import Progress
paths = Paths(checkout=Path(sys.argv[1]), var=Path(sys.argv[2]))
start_servers(paths, Progress(total=2, stream=sys.stderr))
servers = servers_of(paths)
print(servers.postgres.pid, servers.redis.pid)
"""


def test_two_starts_at_once_after_an_interrupted_one_make_one_server(open_folder: Path) -> None:
    home = open_folder / "race"
    half_made = home / "postgres" / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-c", _START, str(home), str(home)]

    racers = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {racer.communicate()[0].strip() for racer in racers}

    assert len(answers) == 1
    for pid in map(int, answers.pop().split()):
        assert is_running(pid, "")
        os.kill(pid, signal.SIGINT)
        assert wait_until(partial(_is_gone, pid), 10)
    assert (home / "keys.env").stat().st_mode & 0o777 == 0o600
