"""Where a request comes from, as far as that can be known."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """
    Return the caller's address, or '' if it has no readable one.

    `X-Forwarded-For` is believed only as far as `settings.TRUSTED_PROXY_HOPS` proxies of ours wrote it, from the right.
    """
    address = request.META.get("REMOTE_ADDR", "")
    hops = settings.TRUSTED_PROXY_HOPS
    if hops:
        forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        address = forwarded[-hops] if len(forwarded) >= hops else ""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def was_forwarded(request: HttpRequest) -> bool:
    """Tell whether a proxy stands between: then the peer's own address says nothing about the caller."""
    return "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
