"""The chart of accounts as a tree, each place with what stands under it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.choices import ChartKind
from ledger.models.accounts import ChartAccount
from ledger.queries.trial_balance import TrialBalance


@dataclass(frozen=True, slots=True)
class ChartNode:
    """
    One place of the chart at its depth in the tree (0 for the top).

    `nets` holds what stands on it and on all below it, by currency, minor units in its natural sign: what a liability
    grows by is positive. `accounts` counts the accounts that anything was booked on.
    """

    number: str
    code: str
    name: str
    kind: ChartKind
    depth: int
    groups: bool
    nets: Mapping[str, int]
    accounts: int


def chart_tree(balances: list[TrialBalance]) -> list[ChartNode]:
    """Return all places of the chart, each before what is under it, by number; one query."""
    rows = list(ChartAccount.objects.order_by("number", "pk"))
    below: dict[int | None, list[ChartAccount]] = defaultdict(list)
    for row in rows:
        below[row.parent_id].append(row)
    own: dict[str, dict[str, int]] = defaultdict(dict)
    accounts: dict[str, int] = defaultdict(int)
    for balance in balances:
        for line in balance.lines:
            own[line.number][balance.currency] = line.net
            accounts[line.number] += line.accounts
    return list(_walk(None, 0, below, own, accounts))


def _walk(
    parent: int | None,
    depth: int,
    below: Mapping[int | None, list[ChartAccount]],
    own: Mapping[str, Mapping[str, int]],
    accounts: Mapping[str, int],
) -> Iterator[ChartNode]:
    for row in below.get(parent, ()):
        under = list(_walk(row.pk, depth + 1, below, own, accounts))
        nets: dict[str, int] = defaultdict(int)
        sign = 1 if row.kind in (ChartKind.ASSET, ChartKind.EXPENSE) else -1
        for currency, net in own.get(row.number, {}).items():
            nets[currency] += sign * net
        for node in under:
            if node.depth == depth + 1:
                for currency, net in node.nets.items():
                    nets[currency] += net
        yield ChartNode(
            number=row.number,
            code=row.code,
            name=row.name,
            kind=ChartKind(row.kind),
            depth=depth,
            groups=bool(under),
            nets={currency: nets[currency] for currency in sorted(nets)},
            accounts=accounts.get(row.number, 0) + sum(n.accounts for n in under if n.depth == depth + 1),
        )
        yield from under
