"""Statements of a wallet on demand: small ones at once."""

import hashlib
import logging
from datetime import date, datetime

from django.db import transaction

from flowlet.audit import trail
from ledger.choices import ExportSubject
from ledger.errors import StatementUnsound, UnknownFormat
from ledger.operations.statements import GivenFile
from ledger.operations.unproven import note_unproven
from ledger.statements.builder import build_statement
from ledger.statements.facts import StatementNotProven
from ledger.statements.formats import STATEMENT_FORMATS
from ledger.statements.subjects import names_of
from wallets.models import Wallet

_log = logging.getLogger(__name__)


def export_statement(
    *,
    wallet: Wallet,
    first: date,
    last: date,
    format: str,  # noqa: A002 - the word on the wire
    version: str = "",
    now: datetime,
) -> GivenFile:
    """
    Return the proven statement of a wallet and a span of days as a file; it carries no number.

    :raises UnknownFormat: if there is no such format or version
    :raises BadSpan: if `last` lies before `first`
    :raises StatementTooLong: if there are more than 10,000 entries: ask for an export
    :raises NotWritable: if the format has no room for it
    :raises StatementUnsound: if it does not prove itself; that is noted in the trail and becomes work for staff
    """
    if format not in STATEMENT_FORMATS or version not in ("", *STATEMENT_FORMATS.get(format).versions):
        raise UnknownFormat
    chosen = STATEMENT_FORMATS.get(format)
    changes: dict[str, list[object]] = {
        "format": [None, format.upper()],
        "span": [None, f"{first} to {last}"],
    }
    try:
        with transaction.atomic():
            statement = build_statement(
                account_id=wallet.account_id,
                first=first,
                last=last,
                reference=wallet.public_id,
                owner=wallet.customer.name,
                names=names_of,
            )
            content = chosen.render(statement, version)
            digest = hashlib.sha256(content).hexdigest()
            found: dict[str, list[object]] = {
                "entries": [None, len(statement.entries)],
                "sha256": [None, digest],
            }
            _record(wallet, {**changes, **found}, outcome="DONE")
    except StatementNotProven as broken:
        _log.critical("statement not proven: %s", broken)
        _record(wallet, changes, outcome="FAILED")
        note_unproven(
            subject_kind=ExportSubject.WALLET,
            subject=wallet.public_id,
            title=f"{wallet.customer.name}, {wallet.currency}",
            first=first,
            latest=last,
            format=format,
            version=chosen.version(version),
            now=now,
        )
        raise StatementUnsound from broken
    name = f"statement-{wallet.public_id}-{first}-{last}.{chosen.extension}"
    return GivenFile(name, chosen.content_type, content, digest)


def _record(wallet: Wallet, changes: dict[str, list[object]], *, outcome: trail.Outcome) -> None:
    trail.record(
        action="statement.export",
        object_type="wallet",
        object_id=wallet.public_id,
        changes=changes,
        outcome=outcome,
        partner_id=wallet.partner_id,
        customer=wallet.customer.public_id,
    )
