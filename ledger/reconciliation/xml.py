"""
Reading XML from outside: no DTD, no entities, no XInclude, no network; size, depth, number of tags and time bounded.

Every format of ours that arrives as XML is read through here.
"""

import io
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from ledger.models.reconciliation import FILE_SIZE_MAX
from ledger.reconciliation.parsed import unreadable

TAGS_MAX = 4_000_000
DEPTH_MAX = 64
TIME_MAX_S = 60.0
_CHUNK = 65_536
_HEAD = 400
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"""<\?xml\s[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]{1,20})["']""")
_MARKUP = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)")
_XINCLUDE = "http://www.w3.org/2001/XInclude"
# Encodings in which banks write; all others are refused, so that none hides markup from the checks below.
_ENCODINGS = {"utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"}


def text_of(data: bytes) -> str:
    """
    Return an XML file as text, without its declaration, once it is sure that it holds nothing but elements and text.

    :raises UnreadableBankFile: if it is too large, in another encoding than it says, or holds a DTD or XInclude
    """
    if len(data) > FILE_SIZE_MAX:
        raise unreadable("TOO_LARGE", "file", "The file is too large.")
    text = _decoded(data)
    if (found := _MARKUP.search(text)) is not None:
        raise unreadable("DTD", _line(text, found.start()), "A document type or entity is not taken.")
    if (at := text.find(_XINCLUDE)) >= 0:
        raise unreadable("XINCLUDE", _line(text, at), "XInclude is not taken.")
    if text.count("<") > TAGS_MAX:
        raise unreadable("TOO_LARGE", "file", "The file has too many elements.")
    return text


def _decoded(data: bytes) -> str:
    encoding = "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif (found := _ENCODING.search(data[:_HEAD])) is not None:
        encoding = found[1].decode("ascii").lower()
    if encoding not in _ENCODINGS or (encoding == "utf-16" and data[:1] not in (b"\xff", b"\xfe")):
        raise unreadable("ENCODING", "line 1", f"The encoding {encoding} is not taken.")
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise unreadable(
            "ENCODING", f"line {number}", f"The file is not in the encoding it names ({encoding})."
        ) from None
    return _DECLARATION.sub(_blank_lines, text, count=1)


def _blank_lines(found: "re.Match[str]") -> str:
    return "\n" * found[0].count("\n")  # so that the lines keep their numbers


def _line(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"


def stream(data: bytes, tags: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """
    Yield ("start" or "end", element) for the elements of these local names, in the order of the file.

    The caller may `clear()` an element once it ended.

    :raises UnreadableBankFile: with the line, if the file is not well-formed, too deep, or takes too long
    """
    until = time.monotonic() + TIME_MAX_S
    # Without huge_tree, libxml2 refuses more than 256 levels and texts over 10 MB by itself.
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=[f"{{*}}{tag}" for tag in tags],
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    body = io.BytesIO(text_of(data).encode())
    try:
        while piece := body.read(_CHUNK):
            parser.feed(piece)
            yield from parser.read_events()
            if time.monotonic() > until:
                raise unreadable("TOO_SLOW", "file", "Reading the file took too long.")
        parser.close()
    except etree.XMLSyntaxError as error:
        raise unreadable("NOT_WELL_FORMED", f"line {error.lineno or 1}", _words(error)) from None
    yield from parser.read_events()


def _words(error: Exception) -> str:
    reason = str(error).split(", line")[0].strip()
    return f"The file is not well-formed XML: {reason[:120]}."


def parse(data: bytes) -> Any:
    """
    Return the root element of a whole file; for files that are small.

    :raises UnreadableBankFile: with the line, if the file is not well-formed, too deep, or holds what is not taken
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(text_of(data).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise unreadable("NOT_WELL_FORMED", f"line {error.lineno or 1}", _words(error)) from None
    if _depth(root) > DEPTH_MAX:
        raise unreadable("TOO_DEEP", "line 1", f"Elements are nested more than {DEPTH_MAX} deep.")
    return root


def _depth(root: Any) -> int:
    deepest = 0
    for element in root.iter():
        if not len(element):
            deepest = max(deepest, 1 + sum(1 for _ in element.iterancestors()))
        if deepest > DEPTH_MAX:
            break
    return deepest
