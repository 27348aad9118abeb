"""Matching by keyboard: the next line, a suggestion, and what a person ticked himself."""

from collections.abc import Callable

import pytest

from flowlet.identity.models import User
from ledger.models.matching import Match, MatchLeg
from ledger.models.reconciliation import BankLine
from ledger.models.transactions import Posting
from ledger.operations.accounts import house_account
from ledger.operations.matching import match_lines
from ledger.operations.posting import post
from ledger.tests.banks import statement
from ledger.tests.factories import NOW, draft, wallet_account
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def _expect(minor: int) -> Posting:
    clearing = house_account(chart_code="BANK_CLEARING", currency="EUR", now=NOW)
    posted = post(draft=draft((clearing, minor), (wallet_account(), -minor), key=f"dep-{minor:06}"), now=NOW)
    return Posting.objects.get(transaction_id=posted.transaction_id, account=clearing)


@pytest.fixture
def lines(transactional_db: None) -> list[BankLine]:
    """Three lines without a reference; each has a posting of its amount, which a person must confirm."""
    for minor in (700, 900, 1_100):
        _expect(minor)
    found = statement(*((minor, {"counterparty_name": "Mirela Sandvik"}) for minor in (700, 900, 1_100)))
    match_lines(now=NOW)
    assert not Match.objects.exists()
    return found


def test_lines_are_matched_by_the_keys_that_the_page_names(
    visit: Callable[..., Visit], finance: User, lines: list[BankLine]
) -> None:
    page = visit(finance).go(f"/admin/ledger/workbench/?line={lines[0].public_id}")
    assert page.inner_text("main kbd >> nth=0") == "N"

    page.keyboard.press("n")
    page.wait_for_url(f"**line={lines[1].public_id}*")
    assert not Match.objects.exists()

    page.keyboard.press("1")
    page.wait_for_url(f"**line={lines[2].public_id}*")
    assert MatchLeg.objects.get().line == lines[1]

    page.locator(".bench-row", has_text="11.00").locator("input[name=posting]").check()
    page.keyboard.press("m")
    page.wait_for_selector(f"#line-{lines[2].public_id}", state="detached")

    legs = {leg.line_id: leg.posting.amount for leg in MatchLeg.objects.select_related("posting")}
    assert legs == {lines[1].pk: 900, lines[2].pk: 1_100}
    assert set(Match.objects.values_list("matched_by", flat=True)) == {"PERSON"}
