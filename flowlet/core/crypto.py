"""Key rings, authenticated encryption and keyed digests. One purpose per ring; SECRET_KEY encrypts nothing."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from flowlet.core.errors import InvariantBroken

KEY_BYTES = 32
_KEY_ID_MAX = 65535
_VERSION = b"\x01"
_HEADER = 3
_NONCE = 12
_INDEX_BYTES = 16


class BadKeyRing(ValueError):
    """The text of a key ring is malformed; the message names no key material."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id; the newest, first in the text, seals and signs, the older ones still open and verify."""

    keys: Mapping[int, bytes]
    newest: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read `id:base64,id:base64`, newest first; ids 1 to 65535, each key 32 bytes.

        :raises BadKeyRing: if it is empty, malformed, or an id comes twice
        """
        keys: dict[int, bytes] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            key_id, _, encoded = item.partition(":")
            try:
                number, key = int(key_id), base64.b64decode(encoded, validate=True)
            except ValueError:
                raise BadKeyRing("a key ring reads id:base64,id:base64") from None
            if not 0 < number <= _KEY_ID_MAX or number in keys or len(key) != KEY_BYTES:
                raise BadKeyRing(f"key {key_id}: ids are 1 to 65535, used once, keys 32 bytes")
            keys[number] = key
        if not keys:
            raise BadKeyRing("a key ring needs at least one key")
        return cls(keys, next(iter(keys)))


@lru_cache(maxsize=32)
def _parsed(text: str) -> KeyRing:
    return KeyRing.parse(text)


def ring(name: str) -> KeyRing:
    """
    Return the ring of that setting (`FIELD_KEYS`, `INDEX_KEYS`, `AUDIT_MAC_KEYS`).

    :raises BadKeyRing: if the setting holds no usable ring
    """
    return _parsed(getattr(settings, name))


def seal(plain: bytes, *, place: str, keys: KeyRing) -> bytes:
    """
    Encrypt with AES-256-GCM under the newest key, bound to `place`.

    The blob reads: version 1, key id (2 bytes), nonce (12), ciphertext with tag.
    """
    nonce = os.urandom(_NONCE)
    header = _VERSION + keys.newest.to_bytes(2, "big")
    body = AESGCM(keys.keys[keys.newest]).encrypt(nonce, plain, header + place.encode())
    return header + nonce + body


def unseal(blob: bytes, *, place: str, keys: KeyRing) -> bytes:
    """
    Decrypt what `seal` made for the same place.

    :raises InvariantBroken: if the key is unknown, or the blob was cut, changed or moved from its place
    """
    header, nonce, body = blob[:_HEADER], blob[_HEADER : _HEADER + _NONCE], blob[_HEADER + _NONCE :]
    key = keys.keys.get(key_id_of(blob))
    if header[:1] != _VERSION or key is None:
        raise InvariantBroken(f"no key opens the value at {place}")
    try:
        return AESGCM(key).decrypt(nonce, body, header + place.encode())
    except (InvalidTag, ValueError):
        raise InvariantBroken(f"the value at {place} does not open: wrong key, or it was changed") from None


def key_id_of(blob: bytes) -> int:
    """Return the id of the key that sealed this blob."""
    return int.from_bytes(blob[1:_HEADER], "big")


def blind_index(kind: str, partner_id: int | None, value: str, *, keys: KeyRing | None = None) -> bytes:
    """
    Return 18 bytes to find an encrypted value by equality: key id (2) and 16 bytes of HMAC-SHA-256.

    `value` is already in normal form (E.164, IBAN without blanks, e-mail case-folded). Each partner has an index of
    its own; `None` is the house-wide one.
    """
    keys = keys or ring("INDEX_KEYS")
    key = hmac.digest(keys.keys[keys.newest], kind.encode(), hashlib.sha256)
    message = f"{'' if partner_id is None else partner_id}|{value}".encode()
    return keys.newest.to_bytes(2, "big") + hmac.digest(key, message, hashlib.sha256)[:_INDEX_BYTES]


def blind_indexes(kind: str, partner_id: int | None, value: str) -> list[bytes]:
    """Return the index of the value under every key of the ring: search with all while a rotation runs."""
    keys = ring("INDEX_KEYS")
    return [blind_index(kind, partner_id, value, keys=KeyRing(keys.keys, key_id)) for key_id in keys.keys]
