"""
Run as a program of its own: reads one file from standard input, writes re-encoded pages to standard output.

It imports nothing of ours and holds nothing worth stealing; its memory, time and files are limited before it looks
at a byte. Arguments: media type, longest side in pixels, most pages. Output: one JSON line with either `fault` (a code)
or `pages` (width, height, size, hash for each), then the JPEGs one after the other.
"""

import io
import json
import resource
import sys
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageFile, ImageOps

MEMORY_MAX = 1024 * 1024 * 1024
CPU_S_MAX = 10
_QUALITY = 82
_DPI_SCALE = 2.0
# Names under which a PDF starts something by itself or carries another file.
_ACTIVE = (
    "/JavaScript",
    "/JS",
    "/Launch",
    "/EmbeddedFile",
    "/EmbeddedFiles",
    "/RichMedia",
    "/XFA",
    "/SubmitForm",
)
_ACTIVE_KINDS = (
    "/JavaScript",
    "/Launch",
    "/SubmitForm",
    "/ImportData",
    "/RichMedia",
    "/EmbeddedFile",
    "/Rendition",
)
_OBJECTS_MAX = 20_000


class FaultFound(Exception):
    """The file is not taken; the argument is the code."""


def limit() -> None:
    """Bind the process: memory, processor time, no core file, nothing written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def picture_pages(data: bytes, side: int) -> Iterator[Image.Image]:
    """Decode a picture once, no larger than needed, upright."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = None  # the caller has counted them
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as opened:
        opened.draft("RGB", (side, side))
        picture = ImageOps.exif_transpose(opened)
        yield fitted(picture, side)


def pdf_pages(data: bytes, side: int, pages_max: int) -> Iterator[Image.Image]:
    """Look through a PDF's objects, then draw its pages."""
    check_pdf(data, pages_max)
    import pypdfium2

    with pypdfium2.PdfDocument(data) as opened:
        for number in range(len(opened)):
            page = opened[number]
            width, height = page.get_size()
            scale = min(_DPI_SCALE, side / max(width, height, 1))
            yield fitted(page.render(scale=scale, may_draw_forms=False).to_pil(), side)


def check_pdf(data: bytes, pages_max: int) -> None:
    """
    Walk every object: PDFium's own count of scripts misses an action that opens by itself.

    :raises FaultFound: if it is locked, too long, damaged, or does something by itself
    """
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise FaultFound("LOCKED")
        if len(reader.pages) > pages_max:
            raise FaultFound("TOO_MANY_PAGES")
        if not len(reader.pages):
            raise FaultFound("DAMAGED")
        walk(reader)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FaultFound("DAMAGED") from None


def walk(reader: Any) -> None:
    """
    Follow every reference from the trailer, each once.

    :raises FaultFound: at the first thing that acts or carries a file
    """
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

    seen: set[int] = set()
    waiting: list[Any] = [reader.trailer]
    count = 0
    while waiting:
        item = waiting.pop()
        count += 1
        if count > _OBJECTS_MAX:
            raise FaultFound("TOO_COMPLEX")
        if isinstance(item, IndirectObject):
            if item.idnum in seen:
                continue
            seen.add(item.idnum)
            item = item.get_object()
        if isinstance(item, DictionaryObject):
            if (
                any(name in item for name in _ACTIVE)
                or item.get("/S") in _ACTIVE_KINDS
                or item.get("/Type") in _ACTIVE_KINDS
            ):
                raise FaultFound("ACTIVE_CONTENT")
            waiting.extend(item.raw_get(name) for name in item)
        elif isinstance(item, ArrayObject):
            waiting.extend(list.__iter__(item))


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """Return it in RGB on white, its longest side at most `side`."""
    picture.thumbnail((side, side))
    if picture.mode in ("RGBA", "LA", "PA", "P"):
        coloured = picture.convert("RGBA")
        ground = Image.new("RGBA", coloured.size, "white")
        picture = Image.alpha_composite(ground, coloured)
    plain = picture.convert("RGB")
    plain.info = {}  # comments, colour profiles and the like would be written out again
    return plain


def difference_hash(picture: Image.Image) -> int:
    """Return 64 bits: for nine by eight grey fields, whether each is brighter than its right neighbour."""
    grey = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            bits = bits << 1 | (grey[row * 9 + column] > grey[row * 9 + column + 1])
    return bits


def render(
    data: bytes, media_type: str, side: int, pages_max: int
) -> tuple[list[dict[str, int]], list[bytes]]:
    """
    Return what there is to know of each page, and its JPEG.

    :raises FaultFound: if the file is not taken
    """
    facts, bodies = [], []
    found = pdf_pages(data, side, pages_max) if media_type == "application/pdf" else picture_pages(data, side)
    for page in found:
        body = io.BytesIO()
        page.save(body, "JPEG", quality=_QUALITY, optimize=False)
        bodies.append(body.getvalue())
        facts.append(
            {
                "width": page.width,
                "height": page.height,
                "size": len(bodies[-1]),
                "hash": difference_hash(page),
            }
        )
    return facts, bodies


def main(arguments: list[str]) -> int:
    """Render what stands on standard input; every expected failure is an answer, not a crash."""
    limit()
    media_type, side, pages_max = arguments[0], int(arguments[1]), int(arguments[2])
    out = sys.stdout.buffer
    try:
        facts, bodies = render(sys.stdin.buffer.read(), media_type, side, pages_max)
    except FaultFound as fault:
        out.write(json.dumps({"fault": str(fault)}).encode() + b"\n")
    except MemoryError:
        out.write(json.dumps({"fault": "TOO_COMPLEX"}).encode() + b"\n")
    except (OSError, ValueError, SyntaxError, RuntimeError, ImportError) as error:
        code = "CANNOT_RUN" if isinstance(error, ImportError) else "DAMAGED"
        out.write(json.dumps({"fault": code}).encode() + b"\n")
    else:
        out.write(json.dumps({"pages": facts}).encode() + b"\n")
        for body in bodies:
            out.write(body)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
