"""References for incoming transfers in the back office: on wallets and deposits, in the search, and on lines of banks."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.cells import Code, Link
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import say
from ledger.admin_bank_parts import LINE_FACTS, line_href
from ledger.models.reconciliation import BankLine
from wallets.admin_parts import customer_link, wallet_href, wallet_link
from wallets.choices import RETIRE_REASONS, MoneySource, ReferenceKind, ReferenceState, WalletStatus
from wallets.models import Movement, Wallet
from wallets.models_incoming import IncomingReference
from wallets.operations.incoming import give_reference, retire_reference
from wallets.queries_incoming import find_transfer
from wallets.references import BASE_DIGITS, is_iban, plain, printed

PERMISSION = "wallets.give_incomingreference"
_ACTIVE_CODE = {"kind": ReferenceKind.CODE, "state": ReferenceState.ACTIVE}
_TYPED_MIN = BASE_DIGITS


def active_code() -> Subquery:
    """Return what gives each wallet of a queryset its active code, to be annotated as `code`."""
    rows = IncomingReference.objects.filter(wallet=OuterRef("pk"), **_ACTIVE_CODE)
    return Subquery(rows.values("reference")[:1])


def _code_of(wallet: Wallet) -> str:
    if "code" in wallet.__dict__:
        return wallet.__dict__["code"] or ""
    rows = wallet.references.filter(**_ACTIVE_CODE)
    return rows.values_list("reference", flat=True).first() or ""


def reference_panel(wallet: Wallet) -> Panel:
    """Return by which reference transfers are credited to a wallet; no query where it was annotated."""
    code = _code_of(wallet)
    deposits = reverse("admin:wallets_deposit_changelist")
    listed = f"{deposits}?{urlencode({'source': MoneySource.TRANSFER, 'q': wallet.public_id})}"
    facts = [
        ("Reference", Code(printed(code)) if code else "None yet"),
        ("Credited", Link("Deposits by bank transfer", listed)),
    ]
    return facts_panel("Money sent by bank transfer", facts, side=True)


def transfer_panels(row: Movement) -> list[Panel]:
    """Return who sent what came by a bank transfer, by which reference, and the bank's line."""
    if row.source != MoneySource.TRANSFER:
        return []
    transfer: Any = getattr(row, "incoming")  # noqa: B009 - deposits only, as the database knows
    line = transfer.line
    facts = [
        ("Sent by", line.counterparty_name or ""),
        ("From", Code(line.counterparty_iban or "")),
        ("Reference", Code(printed(transfer.reference.reference))),
        ("Bank line", Link(line.public_id, line_href(line), mono=True)),
    ]
    return [facts_panel("Bank transfer", facts, side=True)]


@LINE_FACTS.register("wallets.incoming")
def _credited(line: BankLine) -> Sequence[tuple[str, object]]:
    """Return the wallet that a line was credited to, if it was; one query."""
    if (transfer := find_transfer(line)) is None:
        return ()
    deposit, wallet = transfer.deposit, transfer.deposit.wallet
    href = reverse("admin:wallets_deposit_change", args=[deposit.public_id])
    return (
        ("Credited to", customer_link(wallet.customer)),
        ("Wallet", wallet_link(wallet)),
        ("By reference", Code(printed(transfer.reference.reference))),
        ("Deposit", Link(deposit.public_id, href, mono=True)),
    )


def _find(term: str, _person: Person) -> Iterable[Found]:
    rows = IncomingReference.objects.filter(reference=plain(term)).select_related("wallet__customer")
    for row in rows:
        yield Found(
            title=f"{row.wallet.customer.name}, {row.wallet.currency}",
            meta=f"{printed(row.reference)}, {row.get_state_display().lower()}",
            href=wallet_href(row.wallet),
        )


def _wants(term: str) -> bool:
    typed = plain(term)
    return len(typed) >= _TYPED_MIN and (typed.startswith("RF") or is_iban(typed))


SEARCH.register("wallets.references")(
    SimpleSource(
        title="References for transfers",
        icon="landmark",
        permission="wallets.view_wallet",
        find=_find,
        wants=_wants,
        order=31,
    )
)


@action(
    name="wallet.give_reference",
    model=Wallet,
    permission=PERMISSION,
    label="Give a reference",
    title=lambda w: f"Give the {w.currency} wallet of {w.customer.name} a reference?",
    text="Bank transfers that carry it are credited to this wallet by themselves.",
    reason=False,
    note="none",
    available=lambda w: w.status != WalletStatus.CLOSED and not _code_of(w),
    icon="landmark",
    order=70,
    done="The wallet has a reference for bank transfers.",
)
def _give(call: ActionCall, wallet: Wallet) -> None:
    give_reference(wallet_id=wallet.pk, now=call.now)


@action(
    name="wallet.retire_reference",
    model=Wallet,
    permission=PERMISSION,
    label="Retire the reference",
    title=lambda w: f"Retire the reference of the {w.currency} wallet of {w.customer.name}?",
    text="Transfers that still carry it wait with a break. It is never given again; the wallet may get another one.",
    reasons=RETIRE_REASONS,
    available=lambda w: bool(_code_of(w)),
    danger=True,
    order=71,
    done="The reference is retired.",
)
def _retire(call: ActionCall, wallet: Wallet) -> None:
    reference = wallet.references.get(**_ACTIVE_CODE)
    retire_reference(reference_id=reference.pk, reason_code=call.reason, note=call.note, now=call.now)


say("wallet.give_reference", "Reference for bank transfers given", "landmark")
say("wallet.retire_reference", "Reference for bank transfers retired", "landmark")
