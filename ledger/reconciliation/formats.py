"""What a reader of bank files is, and how the one that fits is found: by content, never by the file's name."""

import pkgutil
from importlib import import_module
from typing import Protocol

from flowlet.core.registry import Registry
from ledger.reconciliation import importers
from ledger.reconciliation.parsed import ParsedFile, unreadable

HEAD_BYTES = 4096


class Importer(Protocol):
    """A reader of one family of formats."""

    title: str

    def recognises(self, head: bytes) -> bool:
        """Tell by the first bytes whether a file is of this family."""
        ...

    def read(self, data: bytes) -> ParsedFile:
        """
        Read the whole file or nothing.

        :raises UnreadableBankFile: with the place, for whatever does not belong there
        """
        ...


IMPORTERS: Registry[Importer] = Registry("ledger.importers")


def load() -> None:
    """Import every module of the package, so that each reader registers itself."""
    for found in pkgutil.iter_modules(importers.__path__):
        import_module(f"{importers.__name__}.{found.name}")


def read(data: bytes) -> ParsedFile:
    """
    Read a file that tells its own format.

    :raises UnreadableBankFile: with the place, if no reader knows it, or something in it is wrong
    """
    head = data[:HEAD_BYTES]
    for importer in IMPORTERS.values():
        if importer.recognises(head):
            return importer.read(data)
    raise unreadable(
        "UNKNOWN_FORMAT",
        "line 1",
        "This is no camt.052, 053 or 054, MT940, OFX or BAI2 file, and no saved CSV mapping fits its first line.",
    )
