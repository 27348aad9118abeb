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

Texts = dict[str, str]
_SIGNS = {"CRDT": 1, "DBIT": -1}
# What a details block is known by: `Btch` names a batch, `TxDtls` one movement of it.
_DETAILS = "NtryDtls/TxDtls"
_WORDS = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "AddtlTxInf")
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


def texts_of(element: Any, into: Texts, prefix: str = "") -> Texts:
    """
    Return the text of every leaf below an element by its path of local names, the first of each; `Ustrd` are joined.

    One pass: looking each path up in the tree takes four times as long. A currency stands under `<path>@`.
    """
    for item in element:
        name = item.tag.rpartition("}")[2]
        path = f"{prefix}{name}"
        if len(item):
            if path != _DETAILS:
                texts_of(item, into, f"{path}/")
        elif path not in into:
            into[path] = (item.text or "").strip()
            if name == "Amt":
                into[f"{path}@"] = item.get("Ccy", "")
        elif name == "Ustrd":
            into[path] = f"{into[path]} {item.text or ''}"
    return into


def read_entry(entry: Any, place: str) -> ParsedLine:
    """
    Read one entry.

    :raises UnreadableBankFile: if amount, sign, status or date are missing or wrong
    """
    texts = texts_of(entry, {})
    sign = _SIGNS.get(texts.get("CdtDbtInd", ""))
    if "Amt" not in texts or sign is None:
        raise unreadable("ENTRY", place, "The entry has no amount, or does not say credit or debit.")
    currency = texts["Amt@"]
    minor = minor_of(texts["Amt"], currency, f"{place}/Amt")
    if minor <= 0:
        raise unreadable("ENTRY", f"{place}/Amt", "The amount of an entry is above zero.")
    booked = texts.get("BookgDt/Dt") or texts.get("BookgDt/DtTm", "")
    valued = texts.get("ValDt/Dt") or texts.get("ValDt/DtTm", "")
    details = [
        texts_of(item, {})
        for block in entry
        if block.tag.endswith("}NtryDtls")
        for item in block
        if item.tag.endswith("}TxDtls")
    ]
    only = details[0] if len(details) == 1 else {}
    return ParsedLine(
        booking_date=day_of(booked or valued, f"{place}/BookgDt"),
        value_date=day_of(valued or booked, f"{place}/ValDt"),
        amount_minor=sign * minor,
        currency=currency,
        place=place,
        end_to_end_id=reference_of(only.get("Refs/EndToEndId", "")),
        bank_reference=reference_of(texts.get("AcctSvcrRef") or only.get("Refs/AcctSvcrRef", "")),
        batch_id=next((squeezed(texts[path]) for path in _BATCH if texts.get(path)), ""),
        name=_party(only, sign),
        iban=account_of(only.get(f"RltdPties/{'DbtrAcct' if sign > 0 else 'CdtrAcct'}/Id/IBAN", "")),
        text=_text(texts, details),
        kind=_kind(texts),
        reversal=texts.get("RvslInd") in ("true", "1"),
        pending=_pending(texts, place),
        details=() if only else tuple(_detail(item, sign, currency, place) for item in details),
    )


def _pending(texts: Texts, place: str) -> bool:
    status = texts.get("Sts/Cd") or texts.get("Sts/Prtry") or texts.get("Sts", "")
    if status not in ("BOOK", "PDNG", "INFO", "FUTR"):
        raise unreadable("STATUS", f"{place}/Sts", f"The status {status[:10]!r} is not known.")
    return status != "BOOK"


def _party(details: Texts, sign: int) -> str:
    """Return the other side: who paid where money came in, who was paid where it went out."""
    side = f"RltdPties/{'Dbtr' if sign > 0 else 'Cdtr'}"
    return squeezed(details.get(f"{side}/Pty/Nm") or details.get(f"{side}/Nm", ""))


def _text(texts: Texts, details: list[Texts]) -> str:
    said = squeezed(" ".join(item[path] for item in details for path in _WORDS if item.get(path)))
    return said or squeezed(texts.get("AddtlNtryInf", ""))


def _kind(texts: Texts) -> str:
    parts = [texts.get(f"BkTxCd/Domn/{path}", "") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    return squeezed("-".join(filter(None, parts)) or texts.get("BkTxCd/Prtry/Cd", ""))[:40]


def _detail(item: Texts, sign: int, currency: str, place: str) -> tuple[str, str, int | None]:
    path = next((path for path in ("Amt", "AmtDtls/TxAmt/Amt") if path in item), "")
    minor = None
    if path and item[f"{path}@"] == currency:
        minor = sign * minor_of(item[path], currency, f"{place}/NtryDtls/TxDtls/Amt")
    return (
        reference_of(item.get("Refs/EndToEndId", ""))[:70],
        reference_of(item.get("Refs/AcctSvcrRef", ""))[:70],
        minor,
    )
