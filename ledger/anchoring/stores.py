"""Where anchors are kept outside the database: one module per kind of place, found by this registry."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

from flowlet.core.registry import Registry


class StoreFailed(Exception):
    """A place did not take or give an anchor; the message names the place, never a key."""


class AnchorStore(Protocol):
    """A place for small files that are written once."""

    def write(self, name: str, content: bytes) -> None:
        """
        Keep a file; the same content again does no harm.

        :raises StoreFailed: if the place does not answer, or holds other content under that name
        """

    def names(self) -> list[str]:
        """
        Return the names of all files, sorted.

        :raises StoreFailed: if the place does not answer
        """

    def read(self, name: str) -> bytes:
        """
        Return a file.

        :raises StoreFailed: if it is not there, or the place does not answer
        """


# Each entry makes its store from the settings, or None where it is not configured.
ANCHOR_STORES: Registry[Callable[[], AnchorStore | None]] = Registry("ledger.anchor_stores")


def load() -> None:
    """Import every module of this package, so that its stores are known."""
    package = import_module("ledger.anchoring")
    for module in iter_modules(package.__path__, "ledger.anchoring."):
        import_module(module.name)


def configured() -> dict[str, AnchorStore]:
    """Return the stores that the settings name, by their registered name."""
    made = {name: make() for name, make in ANCHOR_STORES.items()}
    return {name: store for name, store in made.items() if store is not None}
