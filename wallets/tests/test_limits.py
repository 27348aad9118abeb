"""Limits by tier: what they stop, how they count, what two at once can do."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.identity.models import Customer, Partner
from wallets.errors import LimitExceeded
from wallets.limits import binding, install, limits_of
from wallets.models import LimitRule, LimitUse
from wallets.operations.bank import deposit, withdraw
from wallets.operations.limits import Use, give_back_limit, use_limit, use_limits
from wallets.tests.factories import NOW, at_once, holds, make_bank_account, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(partner):
    return make_wallet(make_customer(partner))


def put(wallet, minor, *, now=NOW, key=None):
    account = make_bank_account(wallet.customer)
    return deposit(
        wallet_id=wallet.pk,
        bank_account_id=account.pk,
        amount=Money(minor, "EUR"),
        idempotency_key=key,
        now=now,
    )


def set_limit(kind, interval, minor, *, tier="BASIC", partner=None, currency="EUR"):
    LimitRule.objects.update_or_create(
        tier=tier,
        partner=partner,
        kind=kind,
        interval=interval,
        currency=currency,
        defaults={"amount_minor": minor},
    )


def test_exactly_the_limit_passes_and_one_cent_more_is_refused(wallet):
    set_limit("IN", "PER_TRANSACTION", 50_000)

    assert put(wallet, 50_000).status == "COMPLETED"
    refused = put(wallet, 50_001)

    assert (refused.status, refused.refusal_code) == ("REFUSED", "limit_exceeded")
    assert "500.00\N{NO-BREAK SPACE}EUR" in refused.refusal_detail
    assert holds(wallet) == 50_000


def test_a_day_ends_at_midnight_where_the_programme_is(partner):
    Partner.objects.filter(pk=partner.pk).update(time_zone="America/New_York")
    wallet = make_wallet(make_customer(partner))
    set_limit("IN", "DAY", 60_000)

    first = put(wallet, 60_000, now=datetime(2026, 11, 2, 3, 0, tzinfo=UTC))  # 1 November, 22:00 there
    second = put(wallet, 1, now=datetime(2026, 11, 2, 4, 59, tzinfo=UTC))
    third = put(wallet, 1, now=datetime(2026, 11, 2, 5, 0, tzinfo=UTC))

    assert [row.status for row in (first, second, third)] == ["COMPLETED", "REFUSED", "COMPLETED"]
    assert (
        LimitUse.objects.filter(interval="DAY").values_list("bucket_date", flat=True).distinct().count() == 2
    )
    assert LimitUse.objects.filter(interval="MONTH", bucket_date=date(2026, 11, 1)).exists()


def test_a_day_counts_until_midnight_and_a_month_until_its_last(wallet):
    set_limit("IN", "DAY", 60_000)
    set_limit("IN", "MONTH", 100_000)
    late = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)

    assert put(wallet, 60_000, now=late - timedelta(days=1)).status == "COMPLETED"
    assert put(wallet, 40_000, now=late).status == "COMPLETED"
    assert put(wallet, 1, now=late).refusal_code == "limit_exceeded"
    assert put(wallet, 60_000, now=late + timedelta(minutes=1)).status == "COMPLETED"


def test_what_the_customer_holds_in_all_wallets_of_a_currency_is_limited(partner, wallet):
    savings = make_wallet(wallet.customer, purpose="SAVINGS")
    set_limit("IN", "BALANCE", 90_000)

    put(wallet, 80_000)

    assert put(savings, 10_001).refusal_code == "limit_exceeded"
    assert put(savings, 10_000).status == "COMPLETED"


def test_money_out_is_counted_apart_from_money_in(wallet):
    put(wallet, 90_000)
    set_limit("OUT", "DAY", 30_000)
    account = make_bank_account(wallet.customer)
    out = {"wallet_id": wallet.pk, "bank_account_id": account.pk, "idempotency_key": None, "now": NOW}

    assert withdraw(amount=Money(30_000, "EUR"), **out).status == "COMPLETED"
    assert withdraw(amount=Money(1, "EUR"), **out).refusal_code == "limit_exceeded"


def test_a_refused_movement_counts_nothing(wallet):
    account = make_bank_account(wallet.customer)
    withdraw(
        wallet_id=wallet.pk,
        bank_account_id=account.pk,
        amount=Money(100, "EUR"),
        idempotency_key=None,
        now=NOW,
    )

    assert not LimitUse.objects.filter(kind="OUT").exists()


def test_a_higher_tier_may_move_more(wallet):
    assert put(wallet, 150_001).refusal_code == "limit_exceeded"

    Customer.objects.filter(pk=wallet.customer_id).update(tier="STANDARD")

    assert put(wallet, 150_001).status == "COMPLETED"


def test_what_a_partner_agreed_goes_before_the_general_rule_for_its_customers_only(partner, wallet):
    other = Partner.objects.create(name="Elsewhere", country="NO", created_at=NOW)
    set_limit("IN", "PER_TRANSACTION", 100, partner=other)
    assert put(wallet, 500).status == "COMPLETED"

    set_limit("IN", "PER_TRANSACTION", 100, partner=partner)

    assert put(wallet, 500).refusal_code == "limit_exceeded"


def test_a_currency_without_figures_of_its_own_takes_the_general_ones_in_its_own_exponent():
    rule = LimitRule(tier="BASIC", kind="IN", interval="DAY", currency="", amount_minor=150_000)

    chosen = [binding([rule], currency=code)["IN", "DAY"].minor for code in ("XOF", "KES", "TND")]

    assert chosen == [1_500, 150_000, 1_500_000]


def test_what_did_not_happen_is_given_back_and_never_below_zero(wallet):
    amount = Money(5_000, "EUR")
    use_limit(wallet=wallet, kind="CARD", amount=amount, now=NOW)

    give_back_limit(wallet=wallet, kind="CARD", amount=amount, used_at=NOW)
    give_back_limit(wallet=wallet, kind="CARD", amount=amount, used_at=NOW)

    assert set(LimitUse.objects.filter(kind="CARD").values_list("amount_minor", flat=True)) == {0}


def test_a_refusal_names_limit_use_and_rest(wallet):
    set_limit("CARD", "DAY", 10_000)
    use_limit(wallet=wallet, kind="CARD", amount=Money(7_000, "EUR"), now=NOW)

    with pytest.raises(LimitExceeded) as refusal:
        use_limit(wallet=wallet, kind="CARD", amount=Money(3_001, "EUR"), now=NOW)

    fields = refusal.value.fields
    assert (fields["interval"], fields["limit_minor"], fields["used_minor"], fields["left_minor"]) == (
        "DAY",
        10_000,
        7_000,
        3_000,
    )


def test_two_sides_of_a_payment_cost_five_queries(partner, wallet, django_assert_num_queries):
    other = make_wallet(make_customer(partner, "Ines Okafor"))
    uses = (Use(wallet, "OUT", Money(100, "EUR")), Use(other, "IN", Money(100, "EUR")))

    with django_assert_num_queries(5):  # the fifth asks where the programmes are
        use_limits(uses=uses, now=NOW)

    assert LimitUse.objects.count() == 4


def test_the_rest_of_a_limit_is_what_the_next_movement_may_be(wallet):
    put(wallet, 40_000)

    rest = {
        (limit.kind, limit.interval): limit.left.minor
        for limit in limits_of(wallet.customer, currencies={"EUR"}, now=NOW)
    }

    assert rest["IN", "DAY"] == 110_000
    assert put(wallet, rest["IN", "PER_TRANSACTION"] + 1).refusal_code == "limit_exceeded"


def test_a_rule_that_people_changed_outlives_the_next_migration(wallet):
    set_limit("IN", "DAY", 7)

    install()

    assert (
        LimitRule.objects.get(
            tier="BASIC", partner=None, kind="IN", interval="DAY", currency="EUR"
        ).amount_minor
        == 7
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE wallets_limituse SET amount_minor = -1",
        "UPDATE wallets_limituse SET \"interval\" = 'BALANCE'",
        (
            'INSERT INTO wallets_limitrule (tier, kind, "interval", currency, amount_minor)'
            " VALUES ('BASIC', 'IN', 'DAY', 'EUR', 10)"
        ),
        (
            'INSERT INTO wallets_limitrule (tier, kind, "interval", currency, amount_minor)'
            " VALUES ('BASIC', 'OUT', 'BALANCE', 'EUR', 10)"
        ),
    ],
)
def test_the_database_refuses_nonsense(wallet, statement):
    use_limit(wallet=wallet, kind="CARD", amount=Money(1, "EUR"), now=NOW)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_never_pass_a_limit_together(partner):
    wallet = make_wallet(make_customer(partner))
    make_bank_account(wallet.customer)
    set_limit("IN", "DAY", 50_000)

    rows = at_once(lambda number: put(wallet, 10_000, key=f"k{number}"), 20)

    assert sorted(row.status for row in rows) == ["COMPLETED"] * 5 + ["REFUSED"] * 15
    assert holds(wallet) == 50_000
    assert LimitUse.objects.get(interval="DAY", bucket_date=date(2026, 11, 2)).amount_minor == 50_000


@pytest.mark.django_db(transaction=True)
def test_giving_back_and_using_at_once_loses_neither(partner):
    wallet = make_wallet(make_customer(partner))
    use_limit(wallet=wallet, kind="OUT", amount=Money(20_000, "EUR"), now=NOW)

    def work(number):
        with transaction.atomic():
            if number % 2:
                give_back_limit(wallet=wallet, kind="OUT", amount=Money(100, "EUR"), used_at=NOW)
            else:
                list(lock(Customer.objects.filter(pk=wallet.customer_id)))
                use_limit(wallet=wallet, kind="OUT", amount=Money(100, "EUR"), now=NOW)

    assert at_once(work, 20) == [None] * 20
    assert set(LimitUse.objects.values_list("amount_minor", flat=True)) == {20_000}
