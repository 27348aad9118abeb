"""One entry (`Ntry`) of a camt message, whatever its version: the paths that moved between versions are tried in turn."""

from typing import Any

from ledger.reconciliation.parsed import (
    ParsedLine,
    account_of,
    day_of,
    minor_of,
    reference_of,
    squeezed,
    unreadable,
)

_SIGNS = {"CRDT": 1, "DBIT": -1}
# What a details block is known by: `Btch` names a batch, `TxDtls` one movement of it.
_BATCH = ("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")


def local(element: Any) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child(element: Any, name: str) -> Any:
    """Return the first child of that local name, or None."""
    for item in element:
        if item.tag.endswith(name) and local(item) == name:
            return item
    return None


def text_at(element: Any, path: str) -> str:
    """Return the text at a path of local names, or ''."""
    for name in path.split("/"):
        element = child(element, name)
        if element is None:
            return ""
    return (element.text or "").strip()


def read_entry(entry: Any, place: str) -> ParsedLine:
    """
    Read one entry.

    :raises UnreadableBankFile: if amount, sign, status or date are missing or wrong
    """
    amount, sign = child(entry, "Amt"), _SIGNS.get(text_at(entry, "CdtDbtInd"))
    if amount is None or sign is None:
        raise unreadable("ENTRY", place, "The entry has no amount, or does not say credit or debit.")
    currency = amount.get("Ccy", "")
    minor = minor_of((amount.text or "").strip(), currency, f"{place}/Amt")
    if minor <= 0:
        raise unreadable("ENTRY", f"{place}/Amt", "The amount of an entry is above zero.")
    booked = text_at(entry, "BookgDt/Dt") or text_at(entry, "BookgDt/DtTm")
    valued = text_at(entry, "ValDt/Dt") or text_at(entry, "ValDt/DtTm")
    details = [
        item for block in entry if local(block) == "NtryDtls" for item in block if local(item) == "TxDtls"
    ]
    only = details[0] if len(details) == 1 else None
    return ParsedLine(
        booking_date=day_of(booked or valued, f"{place}/BookgDt"),
        value_date=day_of(valued or booked, f"{place}/ValDt"),
        amount_minor=sign * minor,
        currency=currency,
        place=place,
        end_to_end_id=reference_of(text_at(only, "Refs/EndToEndId")) if only is not None else "",
        bank_reference=reference_of(
            text_at(entry, "AcctSvcrRef") or (text_at(only, "Refs/AcctSvcrRef") if only is not None else "")
        ),
        batch_id=_batch(entry),
        name=_party(only, sign),
        iban=account_of(_iban(only, sign)),
        text=_text(entry, details),
        kind=_kind(entry),
        reversal=text_at(entry, "RvslInd") in ("true", "1"),
        pending=_pending(entry, place),
        details=tuple(_detail(item, sign, currency, place) for item in details) if only is None else (),
    )


def _pending(entry: Any, place: str) -> bool:
    status = text_at(entry, "Sts/Cd") or text_at(entry, "Sts/Prtry") or text_at(entry, "Sts")
    if status not in ("BOOK", "PDNG", "INFO", "FUTR"):
        raise unreadable("STATUS", f"{place}/Sts", f"The status {status[:10]!r} is not known.")
    return status != "BOOK"


def _batch(entry: Any) -> str:
    return next((squeezed(found) for path in _BATCH if (found := text_at(entry, path))), "")


def _party(details: Any, sign: int) -> str:
    """Return the other side: who paid where money came in, who was paid where it went out."""
    if details is None:
        return ""
    side = f"RltdPties/{'Dbtr' if sign > 0 else 'Cdtr'}"
    return squeezed(text_at(details, f"{side}/Pty/Nm") or text_at(details, f"{side}/Nm"))


def _iban(details: Any, sign: int) -> str:
    return (
        ""
        if details is None
        else text_at(details, f"RltdPties/{'DbtrAcct' if sign > 0 else 'CdtrAcct'}/Id/IBAN")
    )


def _text(entry: Any, details: list[Any]) -> str:
    parts: list[str] = []
    for item in details:
        remittance = child(item, "RmtInf")
        if remittance is not None:
            parts += [(line.text or "") for line in remittance if local(line) == "Ustrd"]
            parts.append(text_at(remittance, "Strd/CdtrRefInf/Ref"))
        parts.append(text_at(item, "AddtlTxInf"))
    said = squeezed(" ".join(parts))
    return said or squeezed(text_at(entry, "AddtlNtryInf"))


def _kind(entry: Any) -> str:
    code = child(entry, "BkTxCd")
    if code is None:
        return ""
    parts = [text_at(code, f"Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return squeezed("-".join(filter(None, parts)) or text_at(code, "Prtry/Cd"))[:40]


def _detail(item: Any, sign: int, currency: str, place: str) -> tuple[str, str, int | None]:
    amount = child(item, "Amt")
    for name in ("AmtDtls", "TxAmt", "Amt") if amount is None else ():
        amount = child(item if amount is None else amount, name)
        if amount is None:
            break
    minor = None
    if amount is not None and amount.get("Ccy", "") == currency:
        minor = sign * minor_of((amount.text or "").strip(), currency, f"{place}/NtryDtls/TxDtls/Amt")
    return (
        reference_of(text_at(item, "Refs/EndToEndId"))[:70],
        reference_of(text_at(item, "Refs/AcctSvcrRef"))[:70],
        minor,
    )
