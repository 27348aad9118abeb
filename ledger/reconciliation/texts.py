"""Bank files that are plain text: one strict way to decode them."""

import re

from ledger.reconciliation.parsed import unreadable

# Control characters that no text file holds; 0x80 to 0x9F tell that the guess at Latin-1 was wrong.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def decoded(data: bytes, encoding: str = "") -> str:
    """
    Return the text: in `encoding` if one is named, else UTF-8, else Latin-1 as older bank software writes it.

    :raises UnreadableBankFile: with the line, if it is in none of them or holds control characters
    """
    text = _as_text(data, encoding)
    if (found := _CONTROL.search(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise unreadable(
            "ENCODING", f"line {line}", "A control character: the file is damaged or in another encoding."
        )
    return text


def _as_text(data: bytes, encoding: str) -> str:
    if encoding:
        try:
            return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise unreadable("ENCODING", f"line {line}", f"The file is not in {encoding}.") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("iso-8859-1")
