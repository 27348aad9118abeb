"""The sandbox's own processor: numbers under 9999, sealed in the vault."""

import hashlib
import hmac
import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from cards import policies
from cards.models.vault import VaultEntry
from cards.processors.registry import PROCESSORS, Issued
from flowlet.core import crypto

_LENGTH, _TRIES = 16, 5


class BuiltinProcessor:
    """Makes numbers with a valid check digit; the number never leaves this module unsealed."""

    def issue(self, *, prefix: str, now: datetime) -> Issued:
        """
        Make a number that was never given, and seal it.

        :raises ValueError: if the range is not one of ours: real ranges are refused
        """
        if not prefix.startswith("9999"):
            raise ValueError("the built-in processor issues numbers under 9999 only")
        for _ in range(_TRIES):
            body = prefix + "".join(secrets.choice("0123456789") for _ in range(_LENGTH - 1 - len(prefix)))
            number = body + policies.luhn_digit(body)
            fingerprint = _fingerprint(number)
            try:
                with transaction.atomic():
                    entry = VaultEntry.objects.create(pan=number, fingerprint=fingerprint, created_at=now)
            except IntegrityError:
                continue  # the number was given before
            return Issued(entry.public_id, number[:6], number[-4:], fingerprint)
        raise RuntimeError("no free card number was found")


def _fingerprint(number: str) -> bytes:
    """Return a keyed digest of the whole number (PCI DSS 4.0.1, 3.5.1.1): a bare one falls to a billion guesses."""
    ring = crypto.ring("INDEX_KEYS")
    key = hmac.new(ring.keys[ring.newest], b"cards.fingerprint", hashlib.sha256).digest()
    return hmac.new(key, number.encode(), hashlib.sha256).digest()


PROCESSORS.register("builtin")(BuiltinProcessor())
