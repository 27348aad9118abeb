"""gunicorn's settings, the same on a laptop and in a container; figures come from the environment."""

import os
from typing import Protocol

from prometheus_client import multiprocess

bind = os.environ.get("BIND", "0.0.0.0:8000")  # a container has to listen on its own address
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "gthread"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - heartbeats must not wait for a disk
timeout = 60
graceful_timeout = 25  # a running request may finish; the launcher and the orchestrator wait longer than this
keepalive = 5
max_requests = int(os.environ.get("WEB_MAX_REQUESTS", "20000"))
max_requests_jitter = 2000
accesslog = "-"
errorlog = "-"


class _Worker(Protocol):
    pid: int


def child_exit(_server: object, worker: _Worker) -> None:
    """Take the gauges of a worker that ended out of the shared metrics."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
