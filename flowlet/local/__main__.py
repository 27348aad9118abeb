"""Command line of the launcher: `python -m flowlet.local run|exec|stop|clean|status|demo`."""

import argparse
import os
import sys

from flowlet.local import commands
from flowlet.local.errors import LauncherError
from flowlet.local.paths import default_paths

_DEFAULT_PORT = 8000
_HIGHEST_PORT = 65535


def main() -> int:
    """Do what the arguments say; return the exit code."""
    arguments = _parser().parse_args()
    paths = default_paths()
    try:
        match arguments.command:
            case "run":
                return commands.run(paths, _port(arguments.port))
            case "exec":
                commands.execute(paths, arguments.arguments, arguments.alone)
            case "demo":
                commands.demo(paths)
            case "stop":
                commands.stop(paths)
            case "clean":
                commands.clean(paths)
            case _:
                commands.status(paths)
    except LauncherError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flowlet.local", description="PostgreSQL, Redis and Flowlet of this checkout."
    )
    actions = parser.add_subparsers(dest="command", required=True)
    run = actions.add_parser("run", help="start everything and stay until Ctrl-C")
    run.add_argument("--port", help=f"first port to try (PORT, else {_DEFAULT_PORT})")
    execute = actions.add_parser("exec", help="run a command with the servers up")
    execute.add_argument(
        "--alone", default="", metavar="NAME", help="wait for another command under this name to end"
    )
    execute.add_argument("arguments", nargs="+", metavar="-- COMMAND", help="the command and its arguments")
    actions.add_parser("demo", help="throw the demo data away and make it again")
    actions.add_parser("stop", help="end everything")
    actions.add_parser("clean", help="end everything and remove its data")
    actions.add_parser("status", help="say what runs")
    return parser


def _port(given: str | None) -> int:
    text = given or os.environ.get("PORT") or str(_DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) <= _HIGHEST_PORT:
        raise LauncherError(f"PORT must be a number from 1 to {_HIGHEST_PORT}, not {text!r}.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
