"""Free TCP ports on this machine's loopback address."""

import socket

LOOPBACK = "127.0.0.1"
_HIGHEST = 65535


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return the preferred port if it is free, else one that the system picks."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def next_free_port(first: int, host: str, tries: int = 100) -> int | None:
    """Return the first free port at or above `first`, or None when `tries` ports in a row are taken."""
    return next(
        (port for port in range(first, min(first + tries, _HIGHEST + 1)) if is_free(port, host)), None
    )


def neighbouring_ports(first: int, count: int, host: str = LOOPBACK, tries: int = 100) -> int | None:
    """Return the first of `count` free ports in a row at or above `first`, or None when there are none in `tries`."""
    for start in range(first, min(first + tries, _HIGHEST + 2 - count)):
        if all(is_free(port, host) for port in range(start, start + count)):
            return start
    return None
