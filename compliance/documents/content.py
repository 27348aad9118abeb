"""
What an uploaded file is, by its content: type, size and structure, from the header and the frame only.

Nothing is decoded here. What passes is decoded by `rendering`, in a process of its own.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass

import filetype
from PIL import Image, UnidentifiedImageError

from compliance.errors_kyc import DocumentRejected

SIZE_MAX = 10 * 1024 * 1024
PIXELS_MAX = 25_000_000
SIDE_MIN = 200
PAGES_MAX = 20
JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
# Markers that other readers of one and the same file would obey: an archive, a disk image, a program.
_ZIP_END = b"PK\x05\x06"
_BLANKS = b"\r\n\t \0"


@dataclass(frozen=True, slots=True)
class Content:
    """A file that may be decoded. Width and height are in pixels, 0 for PDF."""

    media_type: str
    size: int
    width: int
    height: int


def inspect(data: bytes) -> Content:
    """
    Tell what a file is, or why it is not taken.

    :raises DocumentRejected: with one plain reason; nothing beyond the header was decoded
    """
    if not data.strip(b"\0"):
        raise DocumentRejected("EMPTY")
    if len(data) > SIZE_MAX:
        raise DocumentRejected("TOO_LARGE")
    known = filetype.guess(data)
    media_type = known.mime if known is not None else ""
    if media_type not in (JPEG, PNG, PDF):
        raise DocumentRejected("WRONG_TYPE")
    if _ZIP_END in data[-66_000:]:
        raise DocumentRejected("TWO_FILES")
    if media_type == PDF:
        _check_pdf_frame(data)
        return Content(PDF, len(data), 0, 0)
    width, height = _dimensions(data, media_type)
    if width * height > PIXELS_MAX:
        raise DocumentRejected("TOO_MANY_PIXELS")
    if min(width, height) < SIDE_MIN:
        raise DocumentRejected("TOO_SMALL")
    (_check_png_frame if media_type == PNG else _check_jpeg_frame)(data)
    return Content(media_type, len(data), width, height)


def _dimensions(data: bytes, media_type: str) -> tuple[int, int]:
    try:
        with warnings.catch_warnings():
            # Pillow warns of many pixels; we count them ourselves.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=["JPEG" if media_type == JPEG else "PNG"]) as picture:
                return picture.size
    except Image.DecompressionBombError:
        raise DocumentRejected("TOO_MANY_PIXELS") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error):
        raise DocumentRejected("DAMAGED") from None


def _check_png_frame(data: bytes) -> None:
    """Walk the chunks: each whole, its checksum right, IEND the last thing in the file, no second picture."""
    place = len(_PNG_HEAD)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, end = data[place + 4 : place + 8], place + 12 + length
        if end > len(data) or zlib.crc32(data[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise DocumentRejected("DAMAGED")
        if kind == b"acTL":
            raise DocumentRejected("WRONG_TYPE")
        place = end
        if kind == b"IEND":
            if place != len(data):
                raise DocumentRejected("TWO_FILES")
            return
    raise DocumentRejected("DAMAGED")


def _check_jpeg_frame(data: bytes) -> None:
    """Walk the segments to the end marker; nothing but padding may follow."""
    place = 2
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 1 >= len(data):
            raise DocumentRejected("DAMAGED")
        marker = data[place + 1]
        if marker == 0xD9:  # noqa: PLR2004 - end of image
            break
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:  # noqa: PLR2004 - stuffing, restarts: no length follows
            place += 1 if marker == 0xFF else 2  # noqa: PLR2004 - a fill byte may be followed by the marker
            continue
        if place + 4 > len(data):
            raise DocumentRejected("DAMAGED")
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    if data[place + 2 :].strip(_BLANKS):
        raise DocumentRejected("TWO_FILES")


def _check_pdf_frame(data: bytes) -> None:
    """Start and end of the file are those of a PDF, and of nothing else."""
    if not data.startswith(b"%PDF-"):
        raise DocumentRejected("TWO_FILES")
    head, found, tail = data.rpartition(b"%%EOF")
    if not found or b"startxref" not in head[-2_000:]:
        raise DocumentRejected("DAMAGED")
    if tail.strip(_BLANKS):
        raise DocumentRejected("TWO_FILES")
