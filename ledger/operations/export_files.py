"""The files of exports as they are stored and read: pieces, compressed and encrypted, and a ZIP where there are several."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flowlet.core import crypto
from ledger.models.statements import ExportFile, ExportJob, ExportPart

_PART = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """An export's file as it goes out: a name, a type, and its pieces in order."""

    name: str
    content_type: str
    pieces: Iterator[bytes]


@dataclass(slots=True)
class Parts(io.RawIOBase):
    """What a format writes into: pieces of a megabyte, compressed, encrypted, stored one by one."""

    job: ExportJob
    file: ExportFile
    size: int = 0
    number: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    digest: Any = field(default_factory=hashlib.sha256)

    def writable(self) -> bool:
        """Tell that it takes bytes."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes and store what makes a whole piece."""
        self.digest.update(data)
        self.waiting += data
        self.size += len(data)
        while len(self.waiting) >= _PART:
            self._store(bytes(self.waiting[:_PART]))
            del self.waiting[:_PART]
        return len(data)

    def finish(self) -> None:
        """Store the rest."""
        if self.waiting:
            self._store(bytes(self.waiting))
            self.waiting.clear()

    def _store(self, data: bytes) -> None:
        place = _place(self.job, self.file.position, self.number)
        sealed = crypto.seal(zlib.compress(data, 1), place=place, keys=crypto.ring("FIELD_KEYS"))
        ExportPart.objects.create(file=self.file, number=self.number, sealed=sealed)
        self.number += 1


def _place(job: ExportJob, position: int, number: int) -> str:
    return f"ledger_exportpart.sealed.{job.public_id}.{position}.{number}"


def pieces(job: ExportJob, file: ExportFile) -> Iterator[bytes]:
    """Yield a file piece by piece."""
    keys = crypto.ring("FIELD_KEYS")
    # One by one and by key: no cursor stays open while somebody's line is slow.
    number = 0
    while (sealed := _part(file, number)) is not None:
        yield zlib.decompress(crypto.unseal(sealed, place=_place(job, file.position, number), keys=keys))
        number += 1


def _part(file: ExportFile, number: int) -> bytes | None:
    found = ExportPart.objects.filter(file=file, number=number).values_list("sealed", flat=True).first()
    return None if found is None else bytes(found)


class _Outlet(io.RawIOBase):
    """What zipfile writes into: it cannot go back, and what it holds is taken away at once."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.held += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self.held)
        self.held.clear()
        return taken


def zipped(job: ExportJob, files: list[ExportFile]) -> Iterator[bytes]:
    """Yield a ZIP of the files, the same bytes each time; no file is ever held whole."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            info = zipfile.ZipInfo(file.name, (1980, 1, 1, 0, 0, 0))  # no clock in the file
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=file.size > zipfile.ZIP64_LIMIT) as member:
                for piece in pieces(job, file):
                    member.write(piece)
                    yield outlet.take()
            yield outlet.take()
    yield outlet.take()


def delete_parts(job: ExportJob) -> None:
    """Delete what an export's files hold; their names and digests stay."""
    ExportPart.objects.filter(file__job=job).delete()
