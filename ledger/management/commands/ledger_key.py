"""`manage.py ledger_key`: the keys that sign the ledger's rows."""

import base64
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from flowlet.audit.trail import Actor, acting
from flowlet.core.crypto import BadKeyRing, KeyRing
from ledger.operations import sealing


class Command(BaseCommand):
    """Make a fresh key, or keep the keys in a file apart from the database's dumps, which leave them out."""

    help = "rotate: sign with a fresh key. export FILE, import FILE: keep all keys apart, put them back after a restore."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what can be done."""
        parser.add_argument("do", choices=("rotate", "export", "import"))
        parser.add_argument("file", nargs="?", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        """
        Do it as the owner of the tables.

        :raises CommandError: if the file is missing, unreadable or there already
        """
        if options["do"] != "rotate" and options["file"] is None:
            raise CommandError("Name the file.")
        with acting(Actor("SYSTEM", "command:ledger_key")):
            if options["do"] == "rotate":
                self.stdout.write(f"Key {sealing.rotate_key()} signs from now on. Export the keys again.")
            elif options["do"] == "export":
                self._export(options["file"])
            else:
                self._import(options["file"])

    def _export(self, path: Path) -> None:
        keys = sealing.read_keys()
        text = ",".join(
            f"{number}:{base64.b64encode(keys[number]).decode()}" for number in sorted(keys, reverse=True)
        )
        try:
            # Made for its owner's eyes; never over an older copy.
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(text + "\n")
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stdout.write(f"{len(keys)} keys written to {path}. Keep it apart from the backups.")

    def _import(self, path: Path) -> None:
        try:
            ring = KeyRing.parse(path.read_text())
        except (OSError, UnicodeDecodeError, BadKeyRing) as error:
            raise CommandError(f"{path}: {error}") from error
        missing = sealing.restore_keys(dict(ring.keys))
        self.stdout.write(f"Keys put back: {', '.join(map(str, missing)) or 'none was missing'}.")
