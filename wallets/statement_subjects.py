"""What wallets tells the ledger's statements: who stands behind an account, and which accounts somebody has."""

from collections.abc import Collection, Iterator, Mapping

from flowlet.identity.models import Customer, Partner
from ledger.choices import ExportSubject
from ledger.statements.subjects import NAMINGS, SUBJECTS, Naming, Subject, Target
from wallets.models import Wallet
from wallets.queries import names_of_accounts


def _targets(**narrowed: object) -> Iterator[Target]:
    rows = Wallet.objects.filter(**narrowed).order_by("account_id")
    for account_id, public_id, owner in rows.values_list(
        "account_id", "public_id", "customer__name"
    ).iterator():
        yield Target(account_id, public_id, owner)


def targets_of_accounts(account_ids: Collection[int]) -> Mapping[int, Target]:
    """Return the wallet behind each ledger account; accounts without a wallet are left out."""
    return {target.account_id: target for target in _targets(account_id__in=account_ids)}


def _of_partner(partner_id: int | None) -> dict[str, int]:
    return {} if partner_id is None else {"partner_id": partner_id}


def _wallet_title(public_id: str, partner_id: int | None) -> str | None:
    rows = Wallet.objects.filter(public_id=public_id, **_of_partner(partner_id))
    found = rows.values_list("customer__name", "currency").first()
    return f"{found[0]}, {found[1]}" if found else None


def _customer_title(public_id: str, partner_id: int | None) -> str | None:
    rows = Customer.objects.filter(public_id=public_id, **_of_partner(partner_id))
    return rows.values_list("name", flat=True).first()


def _partner_title(public_id: str, partner_id: int | None) -> str | None:
    rows = Partner.objects.filter(public_id=public_id, **({} if partner_id is None else {"pk": partner_id}))
    return rows.values_list("name", flat=True).first()


NAMINGS.register("wallets")(Naming(names=names_of_accounts, targets=targets_of_accounts))
SUBJECTS.register(ExportSubject.WALLET)(
    Subject(title=_wallet_title, targets=lambda public_id: _targets(public_id=public_id))
)
SUBJECTS.register(ExportSubject.CUSTOMER)(
    Subject(title=_customer_title, targets=lambda public_id: _targets(customer__public_id=public_id))
)
SUBJECTS.register(ExportSubject.PARTNER)(
    Subject(title=_partner_title, targets=lambda public_id: _targets(partner__public_id=public_id))
)
