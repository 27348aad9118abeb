"""Pages of currencies: what finance sees and does, and who may not."""

import pytest
from django.urls import reverse

from ledger.models.currencies import FxRate
from ledger.operations.deals import realise_results
from ledger.tests.factories import NOW, make_rate
from ledger.tests.test_admin import read  # noqa: F401 - the fixture
from ledger.tests.test_deals import EUR, USD, WORKED, deal

pytestmark = pytest.mark.django_db


def test_rates_deals_and_positions_are_shown_in_words(read):  # noqa: F811
    make_rate(EUR, USD, "1.1000")
    make_rate(EUR, USD, "1.0950", kind="CLOSING")
    deal(*WORKED, key="one", spread=100)

    assert "1 waiting" in read("ledger_positions")
    realise_results(now=NOW)

    rates = read("ledger_fxrate_changelist")
    assert "1 EUR = 1.1 USD" in rates
    assert "Record a rate" in rates
    assert "1.095" not in read("ledger_fxrate_changelist", query="?view=mid")
    assert "99.00 EUR for 108.90 USD" in read("ledger_fxdeal_changelist")
    positions = read("ledger_positions")
    # Short of 108.90 USD, which cost 99.00 EUR and would cost 99.00 EUR now.
    assert "1 USD = 0.9090909 EUR" in positions
    assert "\N{MINUS SIGN}108.90 <small>USD" in positions
    assert "\N{MINUS SIGN}99.00 <small>EUR" in positions


def test_positions_without_a_rate_say_so(read):  # noqa: F811
    assert "No exchange yet" in read("ledger_positions")
    deal(*WORKED, key="one", spread=100)

    assert "No mid rate on record" in read("ledger_positions")


GOOD = {
    "base": "eur",
    "quote": "usd",
    "rate": "1.0891",
    "kind": "MID",
    "source": "Finance",
    "valid_at": "2026-11-01T16:00",
}


def test_finance_records_a_rate_by_the_form(finance, desk):
    client, address = desk(finance), reverse("admin:ledger_rate_new")
    assert b"Record rate" in client.get(address).content

    answer = client.post(address, GOOD, follow=True)

    assert b"Recorded: 1 EUR = 1.0891 USD." in answer.content
    row = FxRate.objects.get()
    assert (row.base, row.quote, str(row.valid_at)) == ("EUR", "USD", "2026-11-01 16:00:00+00:00")
    assert row.actor.startswith("STAFF:")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"rate": "0"}, "A rate is a number above zero"),
        ({"rate": ""}, "This field is required"),
        ({"quote": "XXX"}, "XXX is not an ISO 4217 currency"),
        ({"quote": "EUR"}, "A rate needs two different currencies"),
        ({"valid_at": "2999-01-01T00:00"}, "that has not come yet"),
        ({"valid_at": "soon"}, "Enter a valid date"),
        ({"kind": "SPOT"}, "Select a valid choice"),
    ],
)
def test_a_wrong_rate_comes_back_with_what_is_wrong(finance, desk, change, fault):
    answer = desk(finance).post(reverse("admin:ledger_rate_new"), {**GOOD, **change})

    assert answer.status_code == 400
    assert fault in answer.content.decode()
    assert not FxRate.objects.exists()


def test_who_may_not_record_rates_is_refused(auditor, ops, desk):
    form, rates = reverse("admin:ledger_rate_new"), reverse("admin:ledger_fxrate_changelist")
    watching, working = desk(auditor), desk(ops)

    assert "Record a rate" not in watching.get(rates).content.decode()
    assert [watching.get(form).status_code, watching.post(form, GOOD).status_code] == [403, 403]
    assert [working.get(rates).status_code, working.get(reverse("admin:ledger_positions")).status_code] == [
        403,
        403,
    ]
    assert not FxRate.objects.exists()
