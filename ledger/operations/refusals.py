"""From what the database refused to the error that says it: one table of constraint names."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import DataError, IntegrityError

from flowlet.core.errors import AppError, NotFound
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from ledger import errors, errors_matching

_OUT_OF_RANGE = "22003"


def _insufficient(detail: Mapping[str, Any]) -> AppError:
    currency = detail["currency"]
    return errors.InsufficientFunds(
        available=Money(max(detail["available"], 0), currency), requested=Money(detail["requested"], currency)
    )


def _too_small(detail: Mapping[str, Any]) -> AppError:
    currency = detail["currency"]
    return errors.HoldTooSmall(
        open=Money(detail["open"], currency), requested=Money(detail["requested"], currency)
    )


_REFUSALS: Mapping[str, Callable[[Mapping[str, Any]], AppError]] = {
    "account_house_once": lambda _: errors.AccountExists(),
    "balance_floor": _insufficient,
    "balance_open": lambda _: errors.AccountNotOpen(),
    "balance_closed_empty": lambda _: errors.AccountNotEmpty(),
    "balance_closed_final": lambda _: errors.AccountNotOpen(),
    "balance_range": lambda _: errors.BalanceOutOfRange(),
    "break_final": lambda _: errors_matching.BreakClosed(),
    "break_settled": lambda _: errors_matching.MoneyWaits(),
    "match_fixed": lambda _: errors_matching.AlreadyUndone(),
    "match_item_overused": lambda _: errors_matching.ItemUsed(),
    "match_line_overused": lambda _: errors_matching.LineUsed(),
    "writeoff_cap_break": errors_matching.over_cap("one break"),
    "writeoff_cap_day": errors_matching.over_cap("one day"),
    "hold_amount": lambda _: InvalidAmount(reason="The amount is too large to be held."),
    "hold_final": lambda detail: errors.HoldFinal(**detail),
    "hold_too_small": _too_small,
    "journal_final": lambda _: errors.JournalFinal(),
    "period_closed": lambda detail: errors.PeriodClosed(**detail),
    "period_order": lambda _: errors.PeriodOutOfOrder(),
    "posting_account": lambda _: NotFound(),
    "posting_account_currency": lambda detail: CurrencyMismatch(**detail),
    "posting_amount": lambda _: errors.ZeroLeg(),
    "posting_balanced": lambda _: errors.UnbalancedTransaction(),
    "transaction_approved": lambda _: errors.ApprovalNeeded(),
    "transaction_key_reused": lambda detail: errors.KeyReused(**detail),
    "transaction_quote_once": lambda _: errors.QuoteUsed(quote="of this transaction"),
    "transaction_reversed_once": lambda _: errors.AlreadyReversed(),
    "transaction_reversible": lambda _: errors.NotReversible(),
}


@contextmanager
def refusals() -> Iterator[None]:
    """
    Turn refusals of the database into the ledger's own errors.

    What has no words here is a mistake of ours and passes as it came.
    """
    try:
        yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        refusal = _REFUSALS.get(getattr(diagnosis, "constraint_name", None) or "")
        if refusal is None or diagnosis is None:
            raise
        raise refusal(_detail(diagnosis.message_detail)) from error
    except DataError as error:
        if getattr(error.__cause__, "pgcode", None) != _OUT_OF_RANGE:
            raise
        raise errors.BalanceOutOfRange from error


def _detail(text: str | None) -> Mapping[str, Any]:
    # Only our own guards write JSON there; PostgreSQL's own constraints write a sentence.
    return json.loads(text) if text and text.startswith("{") else {}
