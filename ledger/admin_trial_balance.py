"""The trial balance page."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from flowlet.backoffice.cells import Badge, Main
from flowlet.backoffice.frame import page
from flowlet.backoffice.lists import Column
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import Panel, empty_panel, table_panel
from flowlet.backoffice.site import register_page
from ledger.admin_parts import Sum, Total
from ledger.queries.trial_balance import TrialBalance, get_trial_balances


@register_page(
    route="ledger/trial-balance/",
    name="ledger_trial_balance",
    permission="ledger.view_trialbalance",
    navigation=Item(
        title="Trial balance",
        url_name="admin:ledger_trial_balance",
        group="Money",
        icon="scale",
        permission="ledger.view_trialbalance",
        order=73,
    ),
)
def trial_balance(request: HttpRequest) -> HttpResponse:
    """Answer the present trial balance, one card per currency."""
    balances = get_trial_balances()
    even = all(balance.debit == balance.credit for balance in balances)
    return page(
        request,
        "admin/change_form.html",
        title="Trial balance",
        path=[("Money", "")],
        summary="What every heading holds now, debits against credits",
        badges=[Badge("Even", "ok") if even else Badge("Not even", "bad")],
        panels=[_trial_panel(balance) for balance in balances]
        or [empty_panel("Trial balance", what="Nothing booked yet", icon="scale")],
        side_panels=[],
    )


def _trial_panel(balance: TrialBalance) -> Panel:
    return table_panel(
        balance.currency,
        columns=(
            Column(title="Heading", cell=_trial_heading),
            Column(
                title="Accounts",
                cell=lambda r: "" if isinstance(r, Total) else f"{r.accounts:,}",
                width="m",
                right=True,
                hide="s",
            ),
            Column(
                title="Postings",
                cell=lambda r: "" if isinstance(r, Total) else f"{r.postings:,}",
                width="m",
                right=True,
                hide="s",
            ),
            Column(title="Debit", cell=lambda r: _trial_side(r, r.debit), width="l", right=True),
            Column(title="Credit", cell=lambda r: _trial_side(r, r.credit), width="l", right=True),
        ),
        rows=[*balance.lines, Total(balance.currency, balance.debit, balance.credit)],
        note="Debits equal credits" if balance.debit == balance.credit else "Debits and credits differ",
    )


def _trial_heading(row: Any) -> object:
    if isinstance(row, Total):
        return row.title
    return Main(f"{row.number} {row.name}", row.kind.label)


def _trial_side(row: Any, minor: int) -> object:
    if isinstance(row, Total):
        return Sum(minor, row.currency, strong=True)
    return Sum(minor, row.currency) if minor else ""
