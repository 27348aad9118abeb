"""The demo: the same story each time, played through the operations, refused in live mode."""

import json
import re
from datetime import UTC, datetime
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum

from compliance.models.screening import ScreeningHit
from flowlet.demo.people import CLIENT_SECRET, DESKS, PASSWORD
from flowlet.demo.story import tell
from flowlet.identity.models import Customer, Partner, User
from ledger.models.accounts import Balance
from ledger.models.transactions import LedgerTransaction
from payments.models import Payment
from wallets.models import BankAccount, Wallet

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def load(**options):
    out = StringIO()
    call_command("load_demo", scale=0.03, processes=1, stdout=out, **options)
    return out.getvalue()


def test_the_same_moment_and_scale_tell_the_same_story():
    assert tell(now=NOW, scale=0.2) == tell(now=NOW, scale=0.2)
    assert tell(now=NOW, scale=0.2) != tell(now=NOW, scale=0.3)


def test_the_whole_story_has_the_promised_size_and_order():
    plans = tell(now=NOW)

    customers = [customer for plan in plans for customer in plan.customers]
    payments = [act for plan in plans for act in plan.acts if act.verb == "PAY"]
    assert len(plans) == 3
    assert 290 <= len(customers) <= 340
    assert 9_300 <= len(payments) <= 10_700
    assert {wallet.currency for plan in plans for wallet in plan.wallets} == {
        "EUR",
        "USD",
        "GBP",
        "JPY",
        "KWD",
        "CHF",
    }
    assert len({customer.country for customer in customers}) >= 15
    for plan in plans:
        times = [act.at for act in plan.acts]
        assert times == sorted(times)
        assert max(times) < NOW
        assert all(act.minor > 0 for act in plan.acts if act.verb in ("PAY", "DEPOSIT", "WITHDRAW"))


@pytest.mark.django_db
def test_a_small_demo_is_whole_and_can_be_logged_in_to():
    said = load()

    assert "Demo data is there" in said
    assert (Partner.objects.count(), ScreeningHit.objects.exists()) == (3, True)
    completed = Payment.objects.filter(status="COMPLETED")
    assert completed.count() > 100
    booked = LedgerTransaction.objects.filter(pk__in=completed.values("transaction_id"))
    assert booked.count() == completed.count()
    for currency in Wallet.objects.values_list("currency", flat=True).distinct():
        # What the house owes stands against what it has: banks, agents, processors on the way, customers who owe.
        sums = Balance.objects.filter(currency=currency).values_list("sign").annotate(Sum("posted"))
        assert len(set(dict(sums).values())) == 1, (currency, list(sums))
    assert not BankAccount.objects.filter(balance_minor__lt=0).exists()
    for desk in DESKS:
        user = User.objects.get(email=desk.email)
        assert user.check_password(PASSWORD)
        assert [group.name for group in user.groups.all()] == [desk.role]


@pytest.mark.django_db
def test_the_printed_line_pays_once(client):
    load()
    out = StringIO()
    call_command("show_access", base_url="http://testserver", stdout=out)
    said = out.getvalue()

    client_id = re.search(r"client id +(\S+)", said)[1]
    body = json.loads(re.search(r"-d '(\{.*\})'", said)[1])
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": CLIENT_SECRET}
    answer = client.post(
        "/api/v1/oauth/token", urlencode(form), content_type="application/x-www-form-urlencoded"
    )
    token = answer.json()["access_token"]
    count = Payment.objects.count()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "first-payment"}
    first, again = (
        client.post("/api/v1/payments", body, content_type="application/json", headers=headers)
        for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Payment.objects.count() == count + 1


@pytest.mark.django_db
def test_data_that_is_there_is_kept():
    Partner.objects.create(name="Somebody", country="DE", created_at=NOW)

    assert "nothing to load" in load(if_empty=True)
    with pytest.raises(CommandError, match="There is data already"):
        load()
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_live_mode_has_no_demo(settings):
    settings.FLOWLET_MODE = "live"

    for command in ("load_demo", "show_access"):
        with pytest.raises(CommandError, match="live mode"):
            call_command(command)
    assert not Partner.objects.exists()
