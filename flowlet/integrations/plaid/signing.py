"""The simulated Plaid's signing keys. ES256 is not in the standard library, so this is the one part that needs more."""

from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from flowlet.integrations.simulation.world import World

_ORDER_BITS = 255
_LIFE_S = 7 * 24 * 3600


class KeyRoom:
    """Keys that rotate: the newest signs, an older one carries the time at which it expires."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._made: dict[str, int] = {}
        self._expires: dict[str, int | None] = {}
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on; the others expire."""
        now = int(self.world.now())
        for name in self._keys:
            self._expires[name] = now
        name = self.world.new_id("key", "")
        # From the seed, so that a restarted simulator signs with the same key.
        secret = int.from_bytes(self.world.digest("key", name), "big") >> (256 - _ORDER_BITS)
        self._keys[name] = ec.derive_private_key(secret, ec.SECP256R1())
        self._made[name], self._expires[name] = now, None

    def sign(self, claims: dict[str, Any], *, forged: bool) -> str:
        """Return a JWT signed with the newest key, or one that claims to be."""
        if self.world.now() - max(self._made.values()) > _LIFE_S:
            self.rotate()
        name = list(self._keys)[-1]
        key = ec.generate_private_key(ec.SECP256R1()) if forged else self._keys[name]
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": name})

    def public(self, name: str) -> dict[str, Any] | None:
        """Return a key as a JWK with Plaid's additions, None if it is unknown."""
        key = self._keys.get(name)
        if key is None:
            return None
        jwk = ECAlgorithm(ECAlgorithm.SHA256).to_jwk(key.public_key(), as_dict=True)
        return {
            "alg": "ES256",
            "created_at": self._made[name],
            "crv": jwk["crv"],
            "expired_at": self._expires[name],
            "kid": name,
            "kty": "EC",
            "use": "sig",
            "x": jwk["x"],
            "y": jwk["y"],
        }
