"""
Makes the secrets of a checkout, in the formats that the settings read.

Run as a program of its own (`python -m flowlet.local.keys FILE`): it needs the cryptography package, and the rest of
the launcher shall work without any, so that `make stop` and `make clean` never depend on a virtualenv.
"""

import base64
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from flowlet.local.paths import write_private

_RINGS = ("FIELD_KEYS", "INDEX_KEYS", "AUDIT_MAC_KEYS", "ANCHOR_KEYS")
_KEY_BYTES = 32


def make_keys() -> dict[str, str]:
    """Return fresh secrets by variable name: key rings as `id:base64`, newest first."""
    keys = {name: f"1:{_random()}" for name in _RINGS}
    return keys | {
        "JWT_KEYS": f"local-1:{base64.b64encode(_signing_key()).decode()}",
        "CLIENT_PEPPER": _random(),
        "SECRET_KEY": secrets.token_urlsafe(64),
    }


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _signing_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def main() -> None:
    """Write fresh secrets to the file named on the command line; `-` prints them for the shell."""
    text = "".join(f"{name}={value}\n" for name, value in make_keys().items())
    if sys.argv[1] == "-":
        sys.stdout.write(text)
    else:
        write_private(
            Path(sys.argv[1]),
            "# Made for this checkout alone. Without these keys its data cannot be read.\n" + text,
        )


if __name__ == "__main__":
    main()
