"""The vendors' settings, read in one place: where they are, with which keys, how long we wait."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from flowlet.integrations.simulation.defaults import KEYS, SECRETS

NAMES = ("stripe", "plaid", "twilio", "openai")
# A live deployment may only talk to these; '' stands for the address that the vendor's SDK knows.
_LIVE_HOSTS = {
    "stripe": ("api.stripe.com",),
    "plaid": ("production.plaid.com",),
    "twilio": (),
    "openai": ("api.openai.com", "eu.api.openai.com", "us.api.openai.com"),
}
# Without OpenAI the house answers from templates; without the others payments, links and codes cannot work.
_REQUIRED = ("stripe", "plaid", "twilio")


@dataclass(frozen=True, slots=True)
class Vendor:
    """
    One vendor as configured. `secrets` verify what comes in, newest first: two while one is being replaced.

    `account` is the public half of the credentials (Plaid's client id, Twilio's account), '' where there is none.
    `options` holds what only this vendor needs. Time-outs are in seconds.
    """

    name: str
    base_url: str
    account: str
    key: str
    secrets: tuple[str, ...]
    connect_timeout_s: float
    read_timeout_s: float
    options: dict[str, str]

    @property
    def configured(self) -> bool:
        """Tell whether there is a key to call with."""
        return bool(self.key)


def get_vendor(name: str) -> Vendor:
    """Return one vendor's settings (`VENDORS` in Django's settings)."""
    block = settings.VENDORS[name]
    return Vendor(
        name=name,
        base_url=block["base_url"].rstrip("/"),
        account=block.get("account", ""),
        key=block["key"],
        secrets=tuple(filter(None, block["secrets"])),
        connect_timeout_s=block["connect_timeout_s"],
        read_timeout_s=block["read_timeout_s"],
        options=block.get("options", {}),
    )


def public_url(path: str) -> str:
    """Return the address under which the outside world reaches `path`: from settings, never from a request."""
    return f"{settings.BASE_URL.rstrip('/')}{path}"


def check_live() -> None:
    """
    Refuse to go live with a missing key, a missing webhook secret, or an address that is not the vendor's own.

    :raises ImproperlyConfigured: naming every fault at once, without any key in it
    """
    faults = [
        fault for name in NAMES if name not in settings.VENDORS_OFF for fault in _faults(get_vendor(name))
    ]
    if faults:
        raise ImproperlyConfigured("live mode: " + "; ".join(faults))


def _faults(vendor: Vendor) -> list[str]:
    faults = []
    if vendor.base_url:
        address = urlsplit(vendor.base_url)
        if address.scheme != "https" or address.hostname not in _LIVE_HOSTS[vendor.name]:
            faults.append(f"{vendor.name} must be called at its own address, not at a simulator or proxy")
    if vendor.name in _REQUIRED or vendor.configured:
        if not vendor.key or vendor.key == KEYS[vendor.name]:
            faults.append(f"{vendor.name} has no key")
        if not _has_secret(vendor):
            faults.append(f"{vendor.name} has no webhook secret")
    return faults


def _has_secret(vendor: Vendor) -> bool:
    # Plaid signs with keys that are fetched from Plaid; there is no shared secret.
    known = SECRETS.get(vendor.name, "")
    return vendor.name == "plaid" or any(secret != known for secret in vendor.secrets)
