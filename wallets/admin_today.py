"""What wallets adds to other pages: panels of the customer page, search, sentences of the time line."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.cells import Tone
from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import FORMATTERS, Sentence
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


def _says(text: str, icon: str, tone: Tone = "") -> None:
    """Register how an act reads; the key is the text's own act, given as `action: words`."""
    action, _, words = text.partition(": ")

    def sentence(_record: AuditRecord) -> Sentence:
        return Sentence(text=words, icon=icon, tone=tone)

    FORMATTERS.register(action)(sentence)


_says("wallet.open: Wallet opened", "wallet")
_says("wallet.freeze: Wallet frozen", "snowflake", "bad")
_says("wallet.unfreeze: Wallet unfrozen", "lock-open", "ok")
_says("wallet.close: Wallet closed", "lock")
_says("bank_account.link: Bank account linked", "landmark")
_says("deposit.create: Money deposited", "arrow-down-to-line")
_says("withdrawal.create: Money withdrawn", "arrow-up-from-line")
_says("statement.export: Statement exported", "download")
_says("statement.issue: Official statement issued", "file-text")
_says("statement.export_request: Export of statements asked for", "download")
_says("statement.export_fetch: Export of statements fetched", "download")
_says("statement.export_expire: Export of statements deleted", "clock")
