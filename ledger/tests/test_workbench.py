"""The pages of reconciliation, as finance staff see them."""

import pytest
from django.urls import reverse

from ledger.models.matching import Break, Match
from ledger.models.reconciliation import ProcessorLine
from ledger.operations.accounts import house_account
from ledger.operations.matching import match_lines
from ledger.operations.posting import post
from ledger.operations.processor_fees import book_processor_fees
from ledger.operations.safeguarding import prove_safeguarding
from ledger.tests.banks import statement
from ledger.tests.factories import NOW, TODAY, draft, wallet_account

pytestmark = pytest.mark.django_db


def expect(minor, key):
    clearing = house_account(chart_code="BANK_CLEARING", currency="EUR", now=NOW)
    posted = post(draft=draft((clearing, minor), (wallet_account(), -minor), key=key), now=NOW)
    return posted.transaction_id


@pytest.fixture
def books():
    """A matched line, one with a suggestion, one without; a posting that waits; a proof."""
    for minor, key in ((12_500, "dep-000001"), (700, "dep-000002")):
        expect(minor, key)
    lines = statement(
        (12_500, {"end_to_end_id": "dep-000001"}),
        (700, {"counterparty_name": "Mirela <b>Sandvik</b>"}),
        (33, {"text": "=cmd()"}),
    )
    match_lines(now=NOW)
    prove_safeguarding(day=TODAY, now=NOW)
    return lines


def test_a_person_matches_a_suggestion_and_lands_on_the_next_line(books, finance, desk):
    client = desk(finance)
    address = reverse("admin:ledger_workbench")

    shown = client.get(address, {"line": books[1].public_id})

    page = shown.content.decode()
    assert "Mirela &lt;b&gt;Sandvik" in page
    (suggestion,) = shown.context["suggestions"]
    assert suggestion.reasons == "same amount, dates close together"
    answer = client.post(
        address,
        {
            "line": books[1].public_id,
            "posting": suggestion.items[0].id,
            "score": suggestion.score,
            "next": shown.context["next_line"],
        },
    )
    assert (answer.status_code, answer["Location"]) == (303, shown.context["next_line"])
    match = Match.objects.latest("pk")
    assert (match.matched_by, match.made_by) == ("PERSON", f"STAFF:{finance.public_id}")
    again = client.post(address, {"line": books[1].public_id, "posting": suggestion.items[0].id}, follow=True)
    assert "has been matched already" in again.content.decode()


def test_who_may_only_look_cannot_match(books, auditor, desk):
    client = desk(auditor)

    assert client.get(reverse("admin:ledger_workbench")).status_code == 200
    assert client.post(reverse("admin:ledger_workbench"), {"line": books[1].public_id}).status_code == 403


def test_pages_of_reconciliation_show_their_rows_in_few_queries(
    books, finance, desk, django_assert_max_num_queries
):
    client = desk(finance)
    broken = Break.objects.filter(line=books[1]).get()
    pages = {
        reverse("admin:ledger_workbench"): "700",
        reverse("admin:ledger_break_changelist"): "Only at the bank",
        reverse("admin:ledger_break_change", args=[broken.public_id]): "Its money waits in",
        reverse("admin:ledger_match_changelist"): "Reference and amount",
        reverse("admin:ledger_match_change", args=[Match.objects.get().public_id]): "dep-000001",
        reverse("admin:ledger_safeguardingproof_changelist"): "Shortfall",
        reverse("admin:ledger_writeoffrule_changelist"): "Without a rule",
        reverse("admin:ledger_three_way"): "No payouts yet",
    }
    for address, words in pages.items():
        with django_assert_max_num_queries(12, info=address):
            shown = client.get(address)
        assert shown.status_code == 200, address
        assert words.replace("700", "7.00") in shown.content.decode(), address


def test_today_shows_breaks_and_client_money(books, finance, desk):
    page = desk(finance).get(reverse("admin:index")).content.decode()

    assert "Open breaks" in page
    assert "Client money" in page


def test_today_says_which_currency_is_short_though_the_first_is_covered(finance, desk):
    statement(500)
    match_lines(now=NOW)
    clearing = house_account(chart_code="BANK_CLEARING", currency="JPY", now=NOW)
    post(draft=draft((clearing, 300), (wallet_account("JPY"), -300)), now=NOW)
    euros, yen = prove_safeguarding(day=TODAY, now=NOW)

    page = desk(finance).get(reverse("admin:index")).content.decode()

    assert (euros.surplus_minor, yen.surplus_minor) == (0, -300)
    assert "2 Nov 2026, JPY" in page
    assert "Covered" not in page


def test_breaks_are_taken_and_explained_by_buttons(books, finance, desk):
    client = desk(finance)
    broken = Break.objects.get(line=books[2])
    for name, extra in (
        ("break.take", {}),
        ("break.explain", {"reason": "UNKNOWN_PAYER", "note": "Asked the bank", "due": "2026-11-05"}),
    ):
        asked = client.get(reverse("admin:do", args=[name, broken.public_id])).context["asked"]
        done = client.post(
            reverse("admin:do", args=[name, broken.public_id]),
            {"form_id": asked.form_id, "version": asked.version, **extra},
        )
        assert done.status_code == 303, done.content.decode()[:2000]

    broken.refresh_from_db()
    assert (broken.state, broken.owner, broken.reason) == ("EXPLAINED", finance, "UNKNOWN_PAYER")


def test_proofs_leave_as_files(books, finance, desk):
    client = desk(finance)

    text = client.get(reverse("admin:ledger_safeguarding_export", args=["csv"])).getvalue().decode()
    book = client.get(reverse("admin:ledger_safeguarding_export", args=["xlsx"]))

    assert "2026-11-02,EUR,1,2,132.00" in text
    assert book["Content-Type"].endswith("spreadsheetml.sheet")
    assert book.getvalue()[:2] == b"PK"


def test_a_payout_is_seen_from_three_sides(finance, desk):
    clearing = house_account(chart_code="SETTLEMENT_CLEARING", currency="EUR", now=NOW)
    ProcessorLine.objects.bulk_create(
        ProcessorLine(
            processor="stripe",
            reference=f"txn_{kind}",
            kind=kind,
            amount_minor=amount,
            fee_minor=fee,
            net_minor=amount - fee,
            currency="EUR",
            source=f"ch_{kind}",
            payout="po_1ABCDEF",
            created_at=NOW,
            available_at=NOW,
        )
        for kind, amount, fee in (("charge", 10_000, 300), ("refund", -1_000, 0), ("payout", -8_700, 0))
    )
    assert book_processor_fees(now=NOW) == 1
    assert book_processor_fees(now=NOW) == 0
    for minor in (10_000, -1_000):
        post(
            draft=draft(
                (clearing, minor), (house_account(chart_code="EQUITY", currency="EUR", now=NOW), -minor)
            ),
            now=NOW,
        )
    statement((8_700, {"batch_id": "po_1ABCDEF"}))
    match_lines(now=NOW)

    page = desk(finance).get(reverse("admin:ledger_three_way")).content.decode()

    assert "po_1ABCDEF" in page
    assert "Not matched" in page  # the two postings name no payout: a person tells
