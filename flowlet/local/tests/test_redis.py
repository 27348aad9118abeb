"""A real Redis of the test's own."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as client

from flowlet.local.ports import LOOPBACK
from flowlet.local.processes import wait_until
from flowlet.local.redis import Redis


@pytest.fixture
def server(open_folder: Path) -> Iterator[Redis]:
    server = Redis(open_folder / "redis", open_folder / "redis.log")
    server.start()
    yield server
    server.stop()


def _ping(url: str) -> bool:
    with client.Redis.from_url(url) as connection:
        return bool(connection.ping())


def test_it_answers_and_a_second_start_reuses_it(server: Redis) -> None:
    pid = server.pid

    started = server.start()

    assert not started
    assert server.pid == pid
    assert _ping(server.url())


def test_a_killed_server_starts_again(server: Redis) -> None:
    pid = server.pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.pid is None, 5)

    assert server.start()
    assert _ping(server.url())


def test_a_port_taken_meanwhile_is_left_alone(server: Redis) -> None:
    port = server.port
    server.stop()

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, port))
        other.listen()
        server.start()

    assert server.port != port
    assert _ping(server.url())


def test_nobody_gets_in_without_the_password_and_no_file_but_ours_shows_it(
    server: Redis, open_folder: Path
) -> None:
    with pytest.raises(client.AuthenticationError):
        _ping(f"redis://{LOOPBACK}:{server.port}/0")

    assert (open_folder / "redis" / "server.json").stat().st_mode & 0o777 == 0o600


def test_stopping_twice_says_that_there_was_nothing(server: Redis) -> None:
    assert server.stop()
    assert not server.stop()
    assert server.describe() == "not running"
