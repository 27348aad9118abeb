"""
Whether a bank file may be taken: whose account it is, whether its lines lead from opening to closing balance, and
whether it continues the statement before. Pure decisions: what is known comes in as plain values.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flowlet.core.money import MINOR_MAX, Money
from ledger.reconciliation.keys import content, line_keys
from ledger.reconciliation.parsed import ParsedFile, ParsedLine, ParsedStatement

_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that stands against a file: a stable code, the place in it, and a sentence for people."""

    code: str
    place: str
    text: str

    def as_dict(self) -> dict[str, str]:
        """Return it as stored with the file."""
        return {"code": self.code, "place": self.place, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStatement:
    """A statement that was taken before."""

    public_id: str
    number: str
    closing_minor: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """
    A bank account of the house as it stands: its latest statement, if there is one.

    `keys_among` returns those of the given line keys that are there already.
    """

    pk: int
    public_id: str
    currency: str
    latest: KnownStatement | None
    keys_among: Callable[[Collection[str]], set[str]]
    same_statement: Callable[[ParsedStatement], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """
    A statement that may be written.

    `index` is its place in `in_order`, `lead` how many lines came before and are taken off its head; `statement` has
    the balances of what is left. A sequence of 0 means that nothing is booked, only announced.
    """

    account_pk: int
    index: int
    statement: ParsedStatement
    lead: int = 0
    keys: tuple[str, ...] = ()
    sequence: int = 0
    announced: tuple[tuple[str, ParsedLine], ...] = ()


@dataclass(slots=True)
class Proof:
    """Either findings, and nothing is taken, or what to write."""

    findings: list[Finding] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)


def prove(parsed: ParsedFile, accounts: Mapping[tuple[str, str], KnownAccount]) -> Proof:
    """Judge every statement of a file; `accounts` are ours by (IBAN or number, currency)."""
    proof = Proof()
    latest = {account.pk: account.latest for account in accounts.values()}
    taken: set[tuple[int, str]] = set()
    for index, statement in enumerate(in_order(parsed.statements)):
        account = accounts.get((statement.account, statement.currency))
        if account is None:
            proof.findings.append(_unknown(statement, accounts))
        elif statement.announces:
            proof.planned.append(_announced(index, statement, account))
        else:
            found = _prove_one(index, statement, account, latest[account.pk], taken)
            if isinstance(found, Finding):
                proof.findings.append(found)
                continue
            proof.planned.append(found)
            taken |= {(account.pk, key) for key in found.keys}
            latest[account.pk] = KnownStatement(
                public_id="",
                number=statement.number,
                closing_minor=statement.closing_minor,
                sequence=found.sequence,
            )
    return proof


def in_order(statements: Sequence[ParsedStatement]) -> list[ParsedStatement]:
    """Return the statements of each account by day; equal days keep the order of the file."""
    return sorted(
        statements, key=lambda item: (item.account, item.currency, item.closing_date, item.opening_date)
    )


def _unknown(statement: ParsedStatement, accounts: Mapping[tuple[str, str], KnownAccount]) -> Finding:
    others = sorted(currency for number, currency in accounts if number == statement.account)
    if others:
        text = f"Account {masked(statement.account)} is kept in {others[0]}, the statement is in {statement.currency[:3]}."
    else:
        text = f"Account {masked(statement.account)} in {statement.currency[:3]} is no bank account of the house."
    return Finding("UNKNOWN_ACCOUNT", statement.place, text)


def masked(account: str) -> str:
    """Return an account number of which only the ends are shown."""
    return account if len(account) <= 8 else f"{account[:4]}…{account[-4:]}"  # noqa: PLR2004 - four at either end


def _announced(index: int, statement: ParsedStatement, account: KnownAccount) -> Planned:
    keys = line_keys(statement.lines)
    known = account.keys_among(keys)
    pairs = tuple((key, line) for key, line in zip(keys, statement.lines, strict=True) if key not in known)
    return Planned(
        account_pk=account.pk, index=index, statement=replace(statement, lines=()), announced=pairs
    )


def _prove_one(
    index: int,
    statement: ParsedStatement,
    account: KnownAccount,
    latest: KnownStatement | None,
    taken: set[tuple[int, str]],
) -> Planned | Finding:
    if (before := account.same_statement(statement)) != "":
        return Finding("STATEMENT_KNOWN", statement.place, f"This statement was accepted before as {before}.")
    pending = [line for line in statement.lines if line.pending]
    lines = booked_lines(statement)
    if lines is None:
        return _difference(statement)
    keys = line_keys(lines)
    known = account.keys_among(keys) | {key for key in keys if (account.pk, key) in taken}
    lead = next((index for index, key in enumerate(keys) if key not in known), len(keys))
    if any(key in known for key in keys[lead:]):
        where = next(index for index in range(lead, len(keys)) if keys[index] in known)
        return Finding(
            "LINE_KNOWN",
            lines[where].place,
            "A line with this reference and these days was taken before, between lines that are new.",
        )
    # Exports of overlapping days begin with lines that came before: these are taken once.
    opening = statement.opening_minor + sum(line.amount_minor for line in lines[:lead])
    if max(abs(opening), abs(statement.closing_minor)) > MINOR_MAX:
        return Finding("BALANCE", statement.place, "A balance is too large.")
    if latest is not None and latest.closing_minor != opening:
        return _gap(statement, latest, opening)
    return Planned(
        account_pk=account.pk,
        index=index,
        lead=lead,
        statement=replace(statement, opening_minor=opening, lines=tuple(lines[lead:])),
        keys=tuple(keys[lead:]),
        sequence=latest.sequence + 1 if latest else 1,
        announced=tuple(
            (f"pending:{key}", line) for key, line in zip(line_keys(pending), pending, strict=True)
        ),
    )


def booked_lines(statement: ParsedStatement) -> list[ParsedLine] | None:
    """
    Return the lines that lead from opening to closing balance, or None if none do.

    All booked ones, or all but those that the bank wrote twice; what is pending is not booked.
    """
    booked = [line for line in statement.lines if not line.pending]
    wanted = statement.closing_minor - statement.opening_minor
    if sum(line.amount_minor for line in booked) == wanted:
        return booked
    once: dict[tuple[object, ...], ParsedLine] = {}
    for number, line in enumerate(booked):
        # Without a reference of the bank, two equal lines may well be two payments.
        once.setdefault(content(line) if line.bank_reference else (number,), line)
    lines = list(once.values())
    return lines if sum(line.amount_minor for line in lines) == wanted else None


def _difference(statement: ParsedStatement) -> Finding:
    booked = [line.amount_minor for line in statement.lines if not line.pending]
    reached, currency = statement.opening_minor + sum(booked), statement.currency
    return Finding(
        "NOT_ADDING_UP",
        statement.place,
        f"Opening balance and {len(booked):,} lines make {_money(reached, currency)}, but the closing balance is "
        f"{_money(statement.closing_minor, currency)}: a difference of "
        f"{_money(statement.closing_minor - reached, currency)}.",
    )


def _gap(statement: ParsedStatement, latest: KnownStatement, opening: int) -> Finding:
    currency = statement.currency
    return Finding(
        "GAP",
        statement.place,
        f"{_missing(latest.number, statement.number)} The one before ends at {_money(latest.closing_minor, currency)}, "
        f"this one begins at {_money(opening, currency)}: a difference of {_money(opening - latest.closing_minor, currency)}.",
    )


def _missing(before: str, this: str) -> str:
    first, last = before.partition("/")[0], this.partition("/")[0]
    if first.isdecimal() and last.isdecimal() and 1 < int(last) - int(first) <= _SHOWN_MAX:
        numbers = [str(number) for number in range(int(first) + 1, int(last))]
        if len(numbers) == 1:
            return f"Statement {numbers[0]} is missing."
        return f"Statements {', '.join(numbers[:-1])} and {numbers[-1]} are missing."
    return "This statement does not continue the one before."


def _money(minor: int, currency: str) -> str:
    """Return an amount in words of a page; sums of damaged files may be beyond what Money carries."""
    return Money(minor, currency).format() if abs(minor) <= MINOR_MAX else "an amount that is too large"
