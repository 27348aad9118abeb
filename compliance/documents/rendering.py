"""Turning an inspected file into pages that officers may see: decoded and re-encoded in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from compliance.documents.content import PAGES_MAX, Content
from compliance.errors_kyc import DocumentRejected, RenderingFailed

PAGE_SIDE_MAX = 1600
_CHILD = Path(__file__).with_name("render_child.py")
_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class Page:
    """One re-encoded page: JPEG, its size in pixels, its 64-bit difference hash."""

    jpeg: bytes
    width: int
    height: int
    picture_hash: int


def render(data: bytes, content: Content) -> list[Page]:
    """
    Return the pages of a file in order.

    :raises DocumentRejected: if it turns out to be damaged, locked, too long, or to do something by itself
    :raises RenderingFailed: if the child could not do its work, for reasons of ours
    """
    command = [sys.executable, "-I", str(_CHILD), content.media_type, str(PAGE_SIDE_MAX), str(PAGES_MAX)]
    try:
        # No shell; the arguments are ours; the environment is empty, so nothing of the server's goes along.
        done = subprocess.run(  # noqa: S603
            command, input=data, capture_output=True, timeout=_TIMEOUT_S, check=False, env={}, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise DocumentRejected("TOO_COMPLEX") from None
    head, _, body = done.stdout.partition(b"\n")
    if done.returncode < 0:  # killed by its limits
        raise DocumentRejected("TOO_COMPLEX")
    if done.returncode or not head:
        raise RenderingFailed
    answer = json.loads(head)
    if "fault" in answer:
        if answer["fault"] == "CANNOT_RUN":
            raise RenderingFailed
        raise DocumentRejected(answer["fault"])
    pages = []
    for facts in answer["pages"]:
        jpeg, body = body[: facts["size"]], body[facts["size"] :]
        pages.append(Page(jpeg, facts["width"], facts["height"], facts["hash"]))
    return pages


def signed(picture_hash: int) -> int:
    """Return a 64-bit hash as the signed number that a BIGINT column takes."""
    return picture_hash - (1 << 64) if picture_hash >= 1 << 63 else picture_hash
