"""Say where the sandbox is, who can log in, and the one line that makes a payment."""

import argparse
import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from flowlet.demo.customers import PAYEE, PAYER
from flowlet.demo.people import CLIENT_NAME, CLIENT_SECRET, DESKS, PARTNER_USER, PASSWORD
from flowlet.identity.models import ApiClient
from wallets.models import Wallet


class Command(BaseCommand):
    """`show_access --base-url http://localhost:8000`."""

    help = "Print address, demo log-ins and a line that pays. Refused in live mode."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Ask where the house is served."""
        parser.add_argument("--base-url", default=settings.BASE_URL)

    def handle(self, **options: Any) -> None:
        """
        Print.

        :raises CommandError: in live mode, or when the demo was not loaded
        """
        if settings.FLOWLET_MODE == "live":
            raise CommandError("There are no demo log-ins in live mode.")
        base = options["base_url"].rstrip("/")
        client = ApiClient.objects.filter(name=CLIENT_NAME, status="ACTIVE").order_by("pk").first()
        wallets = {reference: _wallet(reference) for reference in (PAYER, PAYEE)}
        if client is None or None in wallets.values():
            raise CommandError("The demo is not loaded. Run load_demo first.")
        lines = [
            "",
            f"Back office   {base}/admin/   password for all: {PASSWORD}",
            *(f"  {desk.email:<32}{desk.look}" for desk in DESKS),
            "",
            f"Partner API   {base}/api/v1/docs/   partner user: {PARTNER_USER[0]}, same password",
            f"  client id     {client.client_id}",
            f"  client secret {CLIENT_SECRET}",
            "",
            "Make a payment (run it again: the same answer comes back, no second payment):",
            "",
            _line(base, client.client_id, {side: str(wallet) for side, wallet in wallets.items()}),
            "",
        ]
        self.stdout.write("\n".join(lines))


def _wallet(reference: str) -> str | None:
    rows = Wallet.objects.filter(customer__reference=reference, currency="EUR", status="ACTIVE").order_by(
        "pk"
    )
    return rows.values_list("public_id", flat=True).first()


def _line(base: str, client_id: str, wallets: dict[str, str]) -> str:
    """Return one shell line: fetch a token, pay with it. Needs sh, curl and sed only."""
    body = json.dumps(
        {
            "payer_wallet": wallets[PAYER],
            "payee_wallet": wallets[PAYEE],
            "amount": 1250,
            "currency": "EUR",
            "description": "Lunch",
        }
    )
    token = (
        f"curl -s -u {client_id}:{CLIENT_SECRET} -d grant_type=client_credentials {base}/api/v1/oauth/token"
        """ | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'"""
    )
    return (
        f'TOKEN=$({token}); curl -si {base}/api/v1/payments -H "Authorization: Bearer $TOKEN"'
        f" -H 'Idempotency-Key: first-payment' -H 'Content-Type: application/json' -d '{body}'"
    )
