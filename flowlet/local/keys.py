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

from flowlet.local.environment import missing_secrets
from flowlet.local.paths import write_private

_RINGS = ("FIELD_KEYS", "INDEX_KEYS", "AUDIT_MAC_KEYS", "ANCHOR_KEYS")
_KEY_BYTES = 32
_HEAD = "# Made for this checkout alone. Without these keys its data cannot be read.\n"


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
    """Write the secrets that the file named on the command line has not; `-` prints fresh ones for the shell."""
    keys = make_keys()
    if sys.argv[1] == "-":
        sys.stdout.write(_lines(keys))
    else:
        complete(Path(sys.argv[1]), keys)


def complete(path: Path, fresh: dict[str, str]) -> None:
    """
    Add those of the fresh secrets that a file lacks, at its end; what stands there is left as it is.

    A checkout that is older than a secret has data under the others: they must stay.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
    lines = _lines({name: fresh[name] for name in missing_secrets(path)})
    gap = "" if text.endswith("\n") or not text else "\n"
    write_private(path, f"{text}{gap}{lines}")


def _lines(keys: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in keys.items())


if __name__ == "__main__":
    main()
