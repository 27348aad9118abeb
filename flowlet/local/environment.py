"""The environment that programs of this checkout run in: what is given wins, what is missing is made or started."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flowlet.local.errors import LauncherError
from flowlet.local.locks import FileLock, exclusive
from flowlet.local.paths import Paths, make_folder
from flowlet.local.postgres import Postgres
from flowlet.local.redis import Redis
from flowlet.local.steps import Progress

DATABASE = "flowlet"
# The secrets of a checkout. Here and not beside what makes them, which needs a package that the launcher does without.
SECRETS = (
    *("FIELD_KEYS", "INDEX_KEYS", "AUDIT_MAC_KEYS", "ANCHOR_KEYS"),
    *("JWT_KEYS", "CLIENT_PEPPER", "SECRET_KEY"),
)


@dataclass(frozen=True)
class Servers:
    """The two servers of a checkout, running or not."""

    postgres: Postgres
    redis: Redis


def servers_of(paths: Paths) -> Servers:
    """Return the servers that belong to the paths."""
    return Servers(
        postgres=Postgres(paths.postgres, paths.log / "postgres.log"),
        redis=Redis(paths.redis, paths.log / "redis.log"),
    )


def read_env_file(path: Path) -> dict[str, str]:
    """Return the NAME=VALUE lines of a file; empty lines, comments, `export` and quotes round a value are left off."""
    if not path.exists():
        return {}
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            values[name.strip()] = value.strip().strip("\"'")
    return values


def given(paths: Paths) -> dict[str, str]:
    """Return what a person set: the process' environment, and beneath it the checkout's .env file."""
    return {**read_env_file(paths.dotenv), **os.environ}


def start_servers(paths: Paths, progress: Progress) -> dict[str, str]:
    """
    Start what is not given by URL, once, however many callers there are; return the complete environment.

    :raises LauncherError: if a server does not come up or the keys cannot be made
    """
    environment = given(paths)
    make_folder(paths.run)
    servers = servers_of(paths)
    with exclusive(paths.run / "start.lock"):
        with progress.step("PostgreSQL") as step:
            step.outcome = _provide_database(environment, servers.postgres)
        with progress.step("Redis") as step:
            step.outcome = _provide_redis(environment, servers.redis)
        _make_keys(paths)
    return {**read_env_file(paths.keys), **environment}


def in_use(paths: Paths) -> FileLock:
    """Return the lock that everybody shares who needs the servers; who holds it alone may stop them."""
    return FileLock(paths.run / "in-use.lock")


def embedded(environment: Mapping[str, str], paths: Paths) -> bool:
    """Tell whether the database is this checkout's own."""
    own = servers_of(paths).postgres
    return environment["DATABASE_URL"] == own.url(environment.get("FLOWLET_DB_NAME") or DATABASE)


def _provide_database(environment: dict[str, str], server: Postgres) -> str:
    if environment.get("DATABASE_URL"):
        return "given by DATABASE_URL"
    database = environment.get("FLOWLET_DB_NAME") or DATABASE
    started = server.start(database)
    environment["DATABASE_URL"] = server.url(database)
    return f"{'started' if started else 'running already'} on port {server.port}"


def _provide_redis(environment: dict[str, str], server: Redis) -> str:
    if environment.get("REDIS_URL"):
        return "given by REDIS_URL"
    started = server.start()
    environment["REDIS_URL"] = server.url()
    return f"{'started' if started else 'running already'} on port {server.port}"


def missing_secrets(path: Path) -> list[str]:
    """Return the secrets that a file has no value for: all of them if there is no file."""
    known = read_env_file(path)
    return [name for name in SECRETS if not known.get(name)]


def _make_keys(paths: Paths) -> None:
    if not missing_secrets(paths.keys):
        return
    command = [sys.executable, "-m", "flowlet.local.keys", str(paths.keys)]
    result = subprocess.run(command, cwd=paths.checkout, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LauncherError(f"The keys of this checkout could not be made:\n{result.stderr}")
