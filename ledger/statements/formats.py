"""What a statement format is; each lives in one file beside this one, which finds them."""

import io
import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import IO, ClassVar

from flowlet.core.registry import Registry
from ledger import statements
from ledger.statements.facts import NotWritable, Statement, StatementTooLong

UNLIMITED = 5_000_000


class Format:
    """
    A way to write statements as a file.

    `write` gives the same bytes for the same statements, always: no clock, no random number in the file. It raises
    before the end if a statement does not prove itself, so a file that was written to its end is proven. `versions`
    are those of the format, the preferred one first; `several` tells whether one file holds several statements.
    """

    title: ClassVar[str]
    extension: ClassVar[str]
    content_type: ClassVar[str]
    text: ClassVar[str]
    versions: ClassVar[tuple[str, ...]] = ("",)
    several: ClassVar[bool] = False
    entries_max: ClassVar[int] = UNLIMITED

    def write(self, wanted: Iterable[Statement], out: IO[bytes], version: str = "") -> None:
        """
        Write the whole file, never holding it in memory unless the format is one for small files.

        :raises StatementNotProven: if a statement does not add up
        :raises NotWritable: if the format has no room for what it says
        :raises StatementTooLong: if there are more entries than the format carries
        """
        raise NotImplementedError

    def render(self, statement: Statement, version: str = "") -> bytes:
        """Return the whole file of one statement; raises as `write` does."""
        out = io.BytesIO()
        self.write([statement], out, version)
        return out.getvalue()

    def version(self, wanted: str) -> str:
        """
        Return the version to write; '' is the preferred one.

        :raises NotWritable: if the format has no such version
        """
        if wanted and wanted not in self.versions:
            raise NotWritable(reason=f"{self.title} is not offered in version {wanted}.")
        return wanted or self.versions[0]

    def fitting(self, wanted: Iterable[Statement]) -> Iterator[Statement]:
        """
        Yield the statements if they are as many and as long as the format carries.

        :raises NotWritable: for a second one in a format of one
        :raises StatementTooLong: if one has too many entries
        """
        for at, statement in enumerate(wanted):
            if at and not self.several:
                raise NotWritable(reason=f"A {self.title} file holds one statement.")
            if len(statement.entries) > self.entries_max:
                raise StatementTooLong(maximum=self.entries_max)
            yield statement


STATEMENT_FORMATS: Registry[Format] = Registry("ledger.statements")


def load() -> None:
    """Import every module of this package, so that each format registers itself."""
    for found in pkgutil.iter_modules(statements.__path__):
        import_module(f"{statements.__name__}.{found.name}")
