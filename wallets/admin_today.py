"""What wallets adds to other pages: panels of the customer page, search, sentences of the time line."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import say
from flowlet.core.ids import is_id
from flowlet.identity.models import Customer
from wallets.admin_parts import wallet_href, wallets_panel
from wallets.models import Wallet
from wallets.queries import wallets_of


def _wallets(customer: Customer, person: Person, _now: datetime) -> Panel:
    panel, wallets = wallets_panel, list(wallets_of(customer.pk))
    if not wallets or not person.may("wallets.export_statement"):
        return panel(wallets)
    href = f"{reverse('admin:statements')}?{urlencode({'customer': customer.public_id})}"
    return replace(panel(wallets), href=href, href_text="Statements")


PANELS.register("wallets")(CustomerPanel(build=_wallets, permission="wallets.view_wallet", order=10))
PANELS.register("wallets.money")(
    CustomerPanel(build=_wallets, permission="wallets.view_wallet", tab="Money", order=10)
)


def _find(term: str, _person: Person) -> Iterable[Found]:
    for wallet in Wallet.objects.filter(public_id=term).select_related("customer"):
        yield Found(
            title=f"{wallet.customer.name}, {wallet.currency}",
            meta=wallet.public_id,
            href=wallet_href(wallet),
        )


SEARCH.register("wallets")(
    SimpleSource(
        title="Wallets",
        icon="wallet",
        permission="wallets.view_wallet",
        find=_find,
        wants=lambda term: is_id(term, "wal"),
        order=30,
    )
)


say("wallet.open", "Wallet opened", "wallet")
say("wallet.freeze", "Wallet frozen", "snowflake", "bad")
say("wallet.unfreeze", "Wallet unfrozen", "lock-open", "ok")
say("wallet.close", "Wallet closed", "lock", refused="Wallet not closed")
say("wallet.set_floor", "Overdraft of the wallet set", "landmark")
say("hold.place", "Money set aside by the partner", "lock")
say("hold.change", "Partner's hold changed", "lock")
say("hold.capture", "Held money taken by the partner", "arrow-up-from-line")
say("hold.release", "Partner's hold released", "lock-open")
say("bank_account.link", "Bank account linked", "landmark")
say("deposit.create", "Money deposited", "arrow-down-to-line", refused="Deposit refused")
say("withdrawal.create", "Money withdrawn", "arrow-up-from-line", refused="Withdrawal refused")
say("statement.export", "Statement exported", "download", refused="Statement not exported")
say("deposit.run", "Waiting deposit carried out", "arrow-down-to-line")
say("withdrawal.run", "Waiting withdrawal carried out", "arrow-up-from-line")
say("deposit.cancel", "Waiting deposit cancelled", "x")
say("withdrawal.cancel", "Waiting withdrawal cancelled", "x")
say("balance_monitor.add", "Balance monitor added", "activity")
say("balance_monitor.end", "Balance monitor ended", "activity")
say("statement.issue", "Official statement issued", "file-text")
say("statement.export_request", "Export of statements asked for", "download")
say("statement.export_fetch", "Export of statements fetched", "download")
say("statement.export_expire", "Export of statements deleted", "clock")
