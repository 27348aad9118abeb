"""The demo: the same story each time, played through the operations, refused in live mode."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from flowlet.demo.story import tell
from flowlet.identity.models import Customer, Partner

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
