"""Jobs that need wallets, called as the clock calls them: what each does, and that twice is once."""

from datetime import timedelta

import pytest
import time_machine

from flowlet.core import clock
from flowlet.core.money import Money
from ledger.models.statements import ExportJob, ExportPart
from ledger.operations.exports import request_export
from ledger.tasks import expire_exports, run_exports
from ledger.tests.factories import make_rate
from wallets.models_exchange import Quote
from wallets.operations.exchange import quote_exchange
from wallets.tasks import expire_quotes
from wallets.tests.factories import make_wallet

pytestmark = pytest.mark.django_db


def test_exports_that_wait_are_made_once_and_their_files_deleted_once(customer):
    wallet, now = make_wallet(customer, balance=10_000), clock.now()
    job = request_export(
        subject_kind="WALLET",
        subject=wallet.public_id,
        format="csv",
        first=now.date() - timedelta(days=30),
        latest=now.date(),
        now=now,
    )

    assert (run_exports(), run_exports()) == (1, 0)
    made = ExportJob.objects.get(pk=job.pk)
    assert (made.state, made.size > 0, ExportPart.objects.exists()) == ("DONE", True, True)
    assert expire_exports() == 0

    with time_machine.travel(made.expires_at + timedelta(seconds=1)):
        assert (expire_exports(), expire_exports()) == (1, 0)
    assert ExportJob.objects.get(pk=job.pk).state == "EXPIRED"
    assert not ExportPart.objects.exists()


def test_a_quote_whose_time_is_over_is_closed_once(customer):
    seller, buyer = make_wallet(customer, balance=10_000), make_wallet(customer, "USD")
    now = clock.now()
    make_rate("EUR", "USD", "1.1000", at=now, now=now)
    quote = quote_exchange(
        sell_wallet_id=seller.pk, buy_wallet_id=buyer.pk, amount=Money(1_000, "EUR"), now=now
    )
    assert expire_quotes() == 0

    with time_machine.travel(quote.expires_at + timedelta(seconds=1)):
        assert (expire_quotes(), expire_quotes()) == (1, 0)

    assert Quote.objects.get(pk=quote.pk).status == "EXPIRED"
