"""What a bank told us, in the smallest valid form."""

from datetime import date, datetime, timedelta
from itertools import count

from ledger.models.reconciliation import BankFile, BankLine, BankStatement, HouseBankAccount
from ledger.operations.accounts import house_account
from ledger.tests.factories import NOW, TODAY

_numbers = count(1)


def bank_account(currency: str = "EUR", **fields: object) -> HouseBankAccount:
    """Our account for customers' money at a bank."""
    known = HouseBankAccount.objects.filter(currency=currency).first()
    return known or HouseBankAccount.objects.create(
        **{
            "account": house_account(chart_code="CLIENT_MONEY_BANK", currency=currency, now=NOW),
            "name": "Client money",
            "bank_name": "First House Bank",
            "iban": "DE02120300000000202051",
            "currency": currency,
            "client_money": True,
            "opened_at": NOW,
            **fields,
        }
    )


def statement(
    *amounts: int | tuple[int, dict[str, object]],
    account: HouseBankAccount | None = None,
    day: date = TODAY,
    accepted_at: datetime | None = NOW,
) -> list[BankLine]:
    """An accepted statement of one day with these lines (minor units; fields of a line beside it); the lines."""
    account = account or bank_account()
    number = next(_numbers)
    file = BankFile.objects.create(
        name=f"statement-{number}.xml",
        sha256=f"{number:064d}",
        size=1,
        received_by="test",
        received_at=NOW,
        changed_at=NOW,
    )
    rows = [one if isinstance(one, tuple) else (one, {}) for one in amounts]
    before = BankStatement.objects.filter(bank_account=account).order_by("-sequence").first()
    opening = before.closing_minor if before else 0
    made = BankStatement.objects.create(
        bank_account=account,
        file=file,
        sequence=before.sequence + 1 if before else 1,
        number=str(number),
        opening_date=day,
        closing_date=day,
        opening_minor=opening,
        closing_minor=opening + sum(amount for amount, _ in rows),
        currency=account.currency,
        line_count=len(rows),
    )
    lines = BankLine.objects.bulk_create(
        BankLine(
            **{
                "bank_account": account,
                "key": f"{number}-{at}",
                "booking_date": day,
                "value_date": day,
                "amount_minor": amount,
                "currency": account.currency,
                "statement": made,
                "stated_in": file,
                "position": at + 1,
                "text": "",
                **fields,
            }
        )
        for at, (amount, fields) in enumerate(rows)
    )
    if accepted_at:
        BankStatement.objects.filter(pk=made.pk).update(accepted_at=accepted_at)
    return lines


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)
