"""What a statement format is; each lives in one file beside this one, which finds them."""

import pkgutil
from importlib import import_module
from typing import Protocol

from flowlet.core.registry import Registry
from ledger import statements
from ledger.statements.builder import Statement


class Format(Protocol):
    """
    A way to write a statement as a file.

    `render` returns the same bytes for the same statement, always: no clock, no random number in the file. `read`
    takes opening balance, entries and closing balance (minor units) back out of such a file, so that it can be proven.
    """

    title: str
    extension: str
    content_type: str
    text: str

    def render(self, statement: Statement) -> bytes:
        """Return the whole file."""
        ...


STATEMENT_FORMATS: Registry[Format] = Registry("ledger.statements")


def load() -> None:
    """Import every module of this package, so that each format registers itself."""
    for found in pkgutil.iter_modules(statements.__path__):
        import_module(f"{statements.__name__}.{found.name}")
