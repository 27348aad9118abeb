"""Cells, badges and links that wallet and payment pages share, and the page behind each kind of ledger entry."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Max
from django.urls import NoReverseMatch, reverse

from flowlet.backoffice.cells import Amount, Badge, Code, Day, Link, Main, Tone, When, words
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, table_panel
from flowlet.core.money import Money
from flowlet.core.registry import Registry
from flowlet.identity.models import Customer
from ledger.admin_parts import CAUSE_PAGES, amount_cell
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Hold
from ledger.models.transactions import Posting
from ledger.queries.balances import list_postings
from ledger.queries.holds import owed_by
from wallets.choices import MovementStatus, WalletStatus
from wallets.models import Wallet
from wallets.queries import names_of_accounts

CURRENCIES = ("EUR", "USD", "GBP", "JPY", "KWD", "CHF")
HISTORY_SHOWN = 25
# The URL name of the page behind an entry, by the entry's source; higher rooms add theirs.
ENTRY_PAGES: Registry[str] = Registry("wallets.entry_pages")
ENTRY_PAGES.register("deposit")("admin:wallets_deposit_change")
ENTRY_PAGES.register("withdrawal")("admin:wallets_withdrawal_change")
CAUSE_PAGES.register("deposit")("admin:wallets_deposit_change")
CAUSE_PAGES.register("withdrawal")("admin:wallets_withdrawal_change")

WALLET_TONES: dict[str, Tone] = {
    WalletStatus.ACTIVE: "ok",
    WalletStatus.FROZEN: "bad",
    WalletStatus.CLOSED: "",
}


def wallet_badge(wallet: Wallet) -> Badge:
    """Return a wallet's status."""
    return Badge(wallet.get_status_display(), WALLET_TONES[wallet.status])


_MOVEMENT_TONES: dict[str, Tone] = {
    MovementStatus.REFUSED: "bad",
    MovementStatus.PENDING: "warn",
    MovementStatus.CANCELLED: "",
}


def movement_badge(row: Any) -> Badge:
    """Return how a movement or payment ended."""
    return Badge(row.get_status_display(), _MOVEMENT_TONES.get(row.status, "ok"))


def wallet_href(wallet: Wallet) -> str:
    """Return the address of a wallet's page."""
    return reverse("admin:wallets_wallet_change", args=[wallet.public_id])


def customer_link(customer: Customer) -> Link:
    """Return a link to a customer's page."""
    return Link(customer.name, reverse("admin:identity_customer_change", args=[customer.public_id]))


def wallet_link(wallet: Wallet) -> Link:
    """Return a link to a wallet's page, by its id."""
    return Link(wallet.public_id, wallet_href(wallet), mono=True)


def page_href(name: str, public_id: str) -> str:
    """Return an address of another room's page, or '' where that room has none."""
    try:
        return reverse(name, args=[public_id])
    except NoReverseMatch:
        return ""


def transaction_cell(public_id: str) -> object:
    """Return the ledger transaction as a link where the ledger has a page for it."""
    href = page_href("admin:ledger_ledgertransaction_change", public_id)
    return Link(public_id, href, mono=True) if href else Code(public_id)


def entry_href(posting: Posting) -> str:
    """Return the page behind an entry: its payment, deposit or withdrawal; else the ledger transaction."""
    header = posting.transaction
    if header.source in ENTRY_PAGES:
        return page_href(ENTRY_PAGES.get(header.source), header.source_key)
    return page_href("admin:ledger_ledgertransaction_change", header.public_id)


def hold_href(hold: Hold) -> str:
    """Return the page of what money is held for, where a room has named one, or ''."""
    known = hold.source in ENTRY_PAGES
    return page_href(ENTRY_PAGES.get(hold.source), hold.source_key) if known else ""


def _entries(balance: Balance) -> str:
    return f"{balance.seq:,} {'entry' if balance.seq == 1 else 'entries'}"


def balances_panel(balance: Balance, wallet: Wallet) -> Panel:
    """Return available, posted and held of a wallet, and what it owes if it owes anything."""
    figures = [
        ("Available", balance.posted - balance.held, "can be spent now"),
        ("Posted", balance.posted, _entries(balance)),
        ("Held", balance.held, "set aside, part of posted"),
    ]
    if owed := owed_by(balance.pk):
        figures.append(("Owed", owed.minor, "the next money in repays it"))
    return Panel(
        title="Balance",
        template="wallets/balances.html",
        data={
            "balances": [
                (label, Amount(Money(minor, wallet.currency)), note, "") for label, minor, note in figures
            ]
        },
    )


def wallets_panel(wallets: Sequence[Wallet]) -> Panel:
    """Return a customer's wallets, each with its available balance and a link."""
    balances = []
    for wallet in wallets:
        balance = wallet.account.balance
        note = wallet.name if wallet.status == WalletStatus.ACTIVE else wallet.get_status_display()
        if balance.held:
            note = f"{note} · {Money(balance.held, wallet.currency).format()} held"
        available = Amount(Money(balance.posted - balance.held, wallet.currency))
        balances.append((note or wallet.currency, available, _entries(balance), wallet_href(wallet)))
    return Panel(title="Wallets", template="wallets/balances.html", data={"balances": balances})


def history_panel(wallet: Wallet, *, sign: int, href: str = "") -> Panel:
    """Return the newest entries of a wallet with the balance after each; three queries."""
    rows = list(list_postings(wallet.account_id).select_related("transaction__text")[:HISTORY_SHOWN])
    others = _other_sides(rows, wallet.account_id)

    def main(posting: Posting) -> Main:
        text = getattr(posting.transaction, "text", None)
        kind = words(posting.transaction.kind)
        said = text.text if text is not None else kind
        other = others.get(posting.transaction_id, "")
        return Main(other or said, said if other else kind)

    return table_panel(
        "History",
        columns=(
            Column(title="What", cell=main),
            Column(title="Date", cell=lambda p: Day(p.effective_date), width="s"),
            Column(
                title="Amount",
                cell=lambda p: Amount(Money(sign * p.amount, p.currency), signed=True),
                width="m",
                right=True,
            ),
            Column(
                title="Balance",
                cell=lambda p: Amount(Money(p.balance_after, p.currency)),
                width="m",
                right=True,
                hide="s",
            ),
        ),
        rows=rows,
        link=entry_href,
        empty=("No entries yet", "Deposits, payments and withdrawals show here."),
        note=f"The newest {HISTORY_SHOWN}" if len(rows) == HISTORY_SHOWN else "",
        href=href,
        href_text="Statement",
    )


def _other_sides(rows: Sequence[Posting], account_id: int) -> dict[int, str]:
    legs = Posting.objects.filter(transaction_id__in=[row.transaction_id for row in rows])
    pairs = list(legs.exclude(account_id=account_id).values_list("transaction_id", "account_id"))
    names = names_of_accounts({other for _, other in pairs})
    return {transaction_id: names[other] for transaction_id, other in pairs if other in names}


def entries_panel(transaction_id: int | None, *, title: str = "Ledger entries") -> Panel:
    """Return the legs of a ledger transaction with their sum, which is zero; two queries."""
    legs = list(
        Posting.objects.filter(transaction_id=transaction_id)
        .select_related("account__chart_account", "account__customer", "account__wallet")
        .order_by("leg")
    )
    sums: dict[str, int] = {}
    for leg in legs:
        sums[leg.currency] = sums.get(leg.currency, 0) + leg.amount
    return Panel(
        title=title,
        template="wallets/entries.html",
        data={
            "legs": [(_account_cell(leg.account), *_sides(leg.amount, leg.currency)) for leg in legs],
            "sums": [Amount(Money(minor, currency)) for currency, minor in sorted(sums.items())],
        },
        note="Debits and credits sum to zero",
    )


def _account_cell(account: Account) -> Main:
    wallet = getattr(account, "wallet", None)
    name = account.customer.name if account.customer else account.chart_account.name
    meta = wallet.public_id if wallet is not None else f"{account.chart_account.number} {account.public_id}"
    return Main(name, meta, mono=True, href=wallet_href(wallet) if wallet is not None else "")


def _sides(minor: int, currency: str) -> tuple[object, object]:
    amount = Amount(Money(abs(minor), currency))
    return (amount, "") if minor > 0 else ("", amount)


def monitors_panel(wallet: Wallet) -> list[Panel]:
    """Return the lines that the partner watches, with the latest crossing of each."""
    rows = wallet.monitors.filter(ended_at=None).annotate(crossed_at=Max("crossings__crossed_at"))
    monitors = list(rows.order_by("threshold_minor", "side"))
    return [
        table_panel(
            "Watched by the partner",
            columns=(
                Column(title="When the balance", cell=lambda m: m.get_side_display().lower()),
                Column(
                    title="Line",
                    cell=lambda m: amount_cell(m.threshold_minor, wallet.currency),
                    width="m",
                    right=True,
                ),
                Column(title="Last crossed", cell=lambda m: When(m.crossed_at), width="m", right=True),
            ),
            rows=monitors,
            empty=("", ""),
        )
    ]
