"""Ports in a row."""

import socket

from flowlet.local.ports import LOOPBACK, free_port, is_free, neighbouring_ports


def test_a_row_of_ports_begins_after_one_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, free_port()))
        taken.listen()
        port = taken.getsockname()[1]

        first = neighbouring_ports(port - 2, 4)

    assert first is not None
    assert first > port
    assert all(is_free(first + index) for index in range(4))


def test_no_row_reaches_beyond_the_last_port() -> None:
    assert neighbouring_ports(65_534, 4) is None
