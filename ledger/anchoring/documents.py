"""What an anchor says outside the database: the hash of a block, signed with Ed25519 by a key the database never sees."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flowlet.core import jsons
from flowlet.core.errors import AppError
from ledger.anchoring import signing

FORMAT = "flowlet-anchor-1"
_NAME_DIGITS = 12


class BadAnchor(ValueError):
    """An anchor does not read, or its signature does not fit."""


@dataclass(frozen=True, slots=True)
class AnchorDocument:
    """One anchor: block number, its hash, and when it was signed."""

    block: int
    hash: bytes
    made_at: datetime

    @property
    def name(self) -> str:
        """The file's name: sorts by block."""
        return f"anchor-{self.block:0{_NAME_DIGITS}d}.json"

    def _signed(self, key_id: int) -> dict[str, str | int]:
        return {
            "format": FORMAT,
            "block": self.block,
            "hash": self.hash.hex(),
            "made_at": self.made_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "key": key_id,
        }

    def sign(self) -> tuple[int, bytes]:
        """
        Return the newest key's number and the signature, 64 bytes.

        :raises BadKeyRing: if ANCHOR_KEYS holds no usable key
        """
        return signing.sign(self._signed)

    def check(self, key_id: int, signature: bytes) -> None:
        """
        Say whether the signature is ours.

        :raises BadAnchor: if it is not, or the key is unknown
        """
        try:
            signing.check(self._signed(key_id), key_id, signature)
        except signing.BadSignature as fault:
            raise BadAnchor(str(fault)) from None

    def dump(self, key_id: int, signature: bytes) -> bytes:
        """Return the file: the same bytes for the same anchor. Whoever has the public key can check it."""
        text = {
            **self._signed(key_id),
            "public_key": signing.public_key(key_id),
            "signature": base64.b64encode(signature).decode(),
        }
        return jsons.dumps_canonical(text) + b"\n"


def load(content: bytes) -> AnchorDocument:
    """
    Read one file and check its signature.

    :raises BadAnchor: if it does not read, or the signature does not fit
    """
    try:
        fields = jsons.loads(content)
        document = AnchorDocument(
            block=int(fields["block"]),
            hash=bytes.fromhex(fields["hash"]),
            made_at=datetime.fromisoformat(fields["made_at"]),
        )
        key_id, signature = int(fields["key"]), base64.b64decode(fields["signature"], validate=True)
        known = isinstance(fields, Mapping) and fields["format"] == FORMAT
    except (AppError, KeyError, TypeError, ValueError):
        raise BadAnchor("it does not read as an anchor") from None
    if not known:
        raise BadAnchor("it is in another format")
    document.check(key_id, signature)
    return document
