"""Signing with the anchor keys: Ed25519, by keys that the database never sees. What is signed is canonical JSON."""

import base64
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flowlet.core import crypto, jsons

Fields = Mapping[str, str | int]


class BadSignature(ValueError):
    """The signature does not fit, or its key is unknown; says which."""


def sign(fields_for: Callable[[int], Fields]) -> tuple[int, bytes]:
    """
    Return the newest key's number and the signature, 64 bytes, of the fields; they are asked for by that number.

    :raises BadKeyRing: if ANCHOR_KEYS holds no usable key
    """
    keys = crypto.ring("ANCHOR_KEYS")
    return keys.newest, _private(keys.newest).sign(jsons.dumps_canonical(fields_for(keys.newest)))


def check(fields: Fields, key_id: int, signature: bytes) -> None:
    """
    Say whether the signature of these fields is ours.

    :raises BadSignature: if it is not, or the key is unknown
    """
    if key_id not in crypto.ring("ANCHOR_KEYS").keys:
        raise BadSignature(f"it names key {key_id}, which is not in ANCHOR_KEYS")
    try:
        _private(key_id).public_key().verify(signature, jsons.dumps_canonical(fields))
    except InvalidSignature:
        raise BadSignature("its signature does not fit") from None


def public_key(key_id: int) -> str:
    """Return the public half of a key in base64, '' for one that is not in ANCHOR_KEYS any more."""
    if key_id not in crypto.ring("ANCHOR_KEYS").keys:
        return ""
    return base64.b64encode(_private(key_id).public_key().public_bytes_raw()).decode()


def _private(key_id: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(crypto.ring("ANCHOR_KEYS").keys[key_id])
