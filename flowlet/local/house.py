"""The steps of `make run` once the servers stand: data, static files, web, vendors, worker and scheduler."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import ClassVar

from flowlet.local.environment import embedded
from flowlet.local.errors import LauncherError
from flowlet.local.paths import Paths, give_to_owner, make_folder, write_state
from flowlet.local.ports import LOOPBACK, neighbouring_ports, next_free_port
from flowlet.local.processes import tail
from flowlet.local.static import mark_static_current, static_is_current
from flowlet.local.steps import Progress, say
from flowlet.local.supervisor import Program, Supervisor

_READY_S = 90.0
_ROLE = "flowlet_app"  # flowlet/audit/rights.py makes it; not imported, since this side knows no Django
_VENDORS = 4  # Stripe, Plaid, Twilio, OpenAI: one port each, in a row
_VENDORS_PORT = 4500


class House:
    """One running Flowlet: prepared, opened, watched, closed."""

    DATA_STEPS: ClassVar[int] = 2
    STEPS: ClassVar[int] = DATA_STEPS + 2

    def __init__(self, paths: Paths, environment: Mapping[str, str], progress: Progress, port: int) -> None:
        self._paths = paths
        self._progress = progress
        self._port = port
        self._environment = {
            "DJANGO_SETTINGS_MODULE": "flowlet.settings.local",
            **environment,
            "VENDOR_JOURNAL": str(paths.vendors),  # the demo's linked banks are those of the simulators
            "PYTHONUNBUFFERED": "1",  # logs and progress appear when they are written
        }
        self._supervisor = Supervisor(paths, self._environment)

    def prepare_data(self) -> None:
        """
        Bring the database up to date and fill it when it is empty.

        :raises LauncherError: if either fails
        """
        with self._progress.step("Database tables") as step:
            self._manage("migrate", "--no-input")
            step.outcome = "up to date"
        with self._progress.step("Demo data", streams=True) as step:
            self._manage("load_demo", "--if-empty", streams=True)
            step.outcome = "ready"

    def open(self) -> None:
        """
        Prepare, start all programs and return when the site answers, having said how to use it.

        :raises LauncherError: if a step fails or a program ends
        """
        self.prepare_data()
        with self._progress.step("Style sheets and scripts") as step:
            step.outcome = self._collect_static()
        with self._progress.step("Web, vendors, worker, scheduler") as step:
            url = self._start_programs()
            taken = "" if url.endswith(f":{self._port}") else f" (port {self._port} is taken)"
            step.outcome = f"serving at {url}{taken}"
        self._note(url)
        say(f"Ready after {self._progress.elapsed_s:.1f} s. Logs: {self._paths.log}\n")
        self._manage("show_access", "--base-url", url, streams=True)
        say("\nCtrl-C stops everything.")

    def watch(self) -> None:
        """
        Stay while all programs run.

        :raises LauncherError: when one ends, with the end of its log
        """
        self._supervisor.watch()

    def close(self) -> None:
        """End all programs."""
        self._supervisor.stop()

    def _manage(self, *arguments: str, streams: bool = False) -> None:
        log = self._paths.log / f"{arguments[0]}.log"
        quiet = (
            {"LOG_LEVEL": "WARNING"} if streams else {}
        )  # a person reads it: what it prints, not what it logs
        with log.open("wb") as output:
            give_to_owner(log)
            result = subprocess.run(
                [sys.executable, "manage.py", *arguments],
                cwd=self._paths.checkout,
                env=self._environment | quiet,
                stdin=subprocess.DEVNULL,
                stdout=None if streams else output,
                stderr=None if streams else subprocess.STDOUT,
                check=False,
            )
        if result.returncode != 0:
            raise LauncherError(
                f"manage.py {arguments[0]} failed (exit code {result.returncode}).\n{tail(log)}"
            )

    def _collect_static(self) -> str:
        if static_is_current(self._paths):
            return "unchanged"
        self._manage("collectstatic", "--no-input", "--clear")
        mark_static_current(self._paths)
        return "collected"

    def _start_programs(self) -> str:
        port = next_free_port(self._port, LOOPBACK)
        if port is None:
            raise LauncherError(f"No free port from {self._port} on: choose another with PORT=…")
        for stale in make_folder(self._paths.metrics).glob("*.db"):
            stale.unlink()  # counters of processes that are gone
        url = f"http://{LOOPBACK}:{port}"
        self._environment |= {
            "BIND": f"{LOOPBACK}:{port}",
            "BASE_URL": url,
            "PROMETHEUS_MULTIPROC_DIR": str(self._paths.metrics),
        }
        vendors = self._vendors(url)
        self._supervisor = Supervisor(self._paths, self._environment | self._role())
        web, *others = [*_programs(self._paths), *vendors]
        self._supervisor.start([web])
        self._wait_until_served(port)  # first alone: on two cores the others would double a person's wait
        self._supervisor.start(others)
        return url

    def _role(self) -> dict[str, str]:
        """Return whose rights the programs have: on our own server those of the application, not of the owner."""
        own = embedded(self._environment, self._paths)
        return {"DATABASE_ROLE": _ROLE} if own and "DATABASE_ROLE" not in self._environment else {}

    def _vendors(self, url: str) -> list[Program]:
        """Return the simulated vendors, having told everybody where they will be; nothing in live mode."""
        if self._environment.get("FLOWLET_MODE") == "live":
            return []
        wanted = int(self._environment.get("VENDOR_SIMULATOR_PORT") or _VENDORS_PORT)
        port = neighbouring_ports(wanted, _VENDORS)
        if port is None:
            raise LauncherError(
                f"No {_VENDORS} free ports in a row from {wanted} on: choose others with VENDOR_SIMULATOR_PORT=…"
            )
        self._environment["VENDOR_SIMULATOR_PORT"] = str(port)
        command = (sys.executable, "-m", "flowlet.integrations.simulation", "--port", str(port))
        # The folder in the command line also tells our process from that of another checkout.
        where = ("--hooks", f"{url}/hooks", "--journal", str(self._paths.vendors))
        return [Program("vendors", (*command, *where))]

    def _note(self, url: str) -> None:
        vendors = self._environment.get("VENDOR_SIMULATOR_PORT", "")
        write_state(self._paths.run / "run.json", {"pid": os.getpid(), "url": url, "vendors": vendors})

    def _wait_until_served(self, port: int) -> None:
        deadline = time.monotonic() + _READY_S
        while not _answers(port):
            self._supervisor.check()
            if time.monotonic() > deadline:
                log = self._supervisor.log_of("web")
                raise LauncherError(
                    f"/healthz did not answer within {_READY_S:.0f} s. The end of {log}:\n{tail(log)}"
                )
            time.sleep(0.1)


def _programs(paths: Paths) -> list[Program]:
    # The folder in each command line also tells our processes from those of another checkout.
    here = str(paths.checkout)
    gunicorn = (sys.executable, "-m", "gunicorn", "--chdir", here, "--config", "python:flowlet.gunicorn")
    celery = (sys.executable, "-m", "celery", "--workdir", here, "--app", "flowlet.celery")
    two = ("--concurrency", "2")
    return [
        Program("web", (*gunicorn, "flowlet.wsgi")),
        Program("worker", (*celery, "worker", "--queues", "celery,training", *two, "--loglevel", "INFO")),
        Program("beat", (*celery, "beat", "--pidfile", "", "--loglevel", "INFO")),
    ]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
