"""Whose statements can be asked for: rooms above name their wallets, customers and partners here."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Target:
    """One account of a statement: what stands in its head, and whose it is."""

    account_id: int
    reference: str
    owner: str


@dataclass(frozen=True, slots=True)
class Subject:
    """
    A kind of thing that has accounts.

    `title` returns what people call it, or None where there is none, or it is another partner's than the one given;
    `targets` yields its accounts in the order of their keys.
    """

    title: Callable[[str, int | None], str | None]
    targets: Callable[[str], Iterator[Target]]


@dataclass(frozen=True, slots=True)
class Naming:
    """Who stands behind ledger accounts: names for the other side of an entry, and heads of statements."""

    names: Callable[[Collection[int]], Mapping[int, str]]
    targets: Callable[[Collection[int]], Mapping[int, Target]]


# Keys are those of `ExportSubject`.
SUBJECTS: Registry[Subject] = Registry("ledger.statement_subjects")
NAMINGS: Registry[Naming] = Registry("ledger.statement_namings")


def names_of(account_ids: Collection[int]) -> Mapping[int, str]:
    """Return whose the accounts are; those that nobody names are left out."""
    found: dict[int, str] = {}
    for naming in NAMINGS.values():
        found.update(naming.names(account_ids))
    return found


def targets_of(account_ids: Collection[int]) -> Mapping[int, Target]:
    """Return the heads of these accounts' statements; accounts that nobody names are left out."""
    found: dict[int, Target] = {}
    for naming in NAMINGS.values():
        found.update(naming.targets(account_ids))
    return found
