"""
Many threads at the same accounts, and the small model that they are held against.

A crew of threads runs a batch of operations at once. Who is let in first is not ours to say, so the model asks what
must hold whatever the order was: each accepted operation counts once, each refused one not at all, no posting went
below a floor, and nothing was refused for want of funds that could not have been missing. A batch of one leaves no
doubt, and then the model is exact. Connections are cut at random; a thread that lost its own asks again under its key.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flowlet.core.money import Money
from flowlet.identity.models import Customer
from ledger.errors import InsufficientFunds
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Hold, HoldEvent, HoldState, Owing
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations import holds, posting
from ledger.operations.owing import post_forced
from ledger.operations.posting import Draft, Leg
from ledger.tests.crew import Act, Op
from ledger.tests.factories import NOW, TODAY, bank, wallet_account

FUNDS = 10_000
# Floors of the wallets by currency, of 2, 0, 3 and 4 digits; one of the euro wallets may be overdrawn.
FLOORS = {"EUR": (0, 0, -500, 0), "JPY": (0, 0), "KWD": (0, 0), "CLF": (0, 0)}
_DRAWN = ("EUR", "EUR", "EUR", "JPY", "KWD", "CLF")
KINDS = (
    "post",
    "forced",
    "many",
    "backdate",
    "hold",
    "change",
    "capture",
    "part",
    "release",
    "expire",
    "reverse",
    "exchange",
    "repeat",
)


@dataclass
class Kept:
    """What a hold should keep open; `due` has a time at which it expires."""

    account: int
    minor: int
    due: bool


class Model:
    """What the accounts and holds should be, in a few dictionaries."""

    def __init__(self, name: str, customer: Customer) -> None:
        self.name = name
        # The last of each currency is a customer's: what is forced on it beyond its balance is owed.
        self.wallets = {
            code: [wallet_account(code, customer_id=customer.pk if last else None) for last in _lasts(floors)]
            for code, floors in FLOORS.items()
        }
        self.accounts = {row.pk: row for rows in self.wallets.values() for row in rows}
        self.floor = {
            row.pk: floor
            for code, rows in self.wallets.items()
            for row, floor in zip(rows, FLOORS[code], strict=True)
        }
        for account, floor in self.floor.items():
            Balance.objects.filter(pk=account).update(floor=floor)
        self.house = {code: bank(code).pk for code in FLOORS}
        self.net = dict.fromkeys(self.floor, 0)  # what an account holds less what it owes
        self.held = dict.fromkeys(self.floor, 0)
        self.open: dict[int, Kept] = {}
        self.done: list[Act] = []
        self.reversible: list[tuple[str, dict[int, int]]] = []
        self.number = 0
        for row in self.accounts.values():
            legs = (
                Leg(self.house[row.currency], Money(FUNDS, row.currency)),
                Leg(row.pk, Money(-FUNDS, row.currency)),
            )
            posting.post(draft=self._draft(self._key(), legs), now=NOW)
            self.net[row.pk] = FUNDS
        self.deadline = NOW + timedelta(hours=1)

    # --- making operations ----------------------------------------------------------------------------------------
    def act(self, op: Op) -> Act | None:
        """Return the operation as a call, or None when there is nothing yet that it could be done to."""
        return getattr(self, f"_{op.kind}")(op, self._key())

    def _key(self) -> str:
        self.number += 1
        return f"{self.name}-{self.number}"

    def _draft(self, key: str, legs: tuple[Leg, ...], days: int = 0) -> Draft:
        return Draft(
            kind="STORM", source="storm", source_key=key, effective_date=TODAY - timedelta(days), legs=legs
        )

    def _between(self, op: Op) -> tuple[Account, Account, Money]:
        rows = self.wallets[_DRAWN[op.first % len(_DRAWN)]]
        payer = rows[op.first // len(_DRAWN) % len(rows)]
        payee = rows[(op.first + 1 + op.second % (len(rows) - 1)) % len(rows)]
        return payer, payee, Money(op.minor, payer.currency)

    def _post(self, op: Op, key: str, days: int = 0) -> Act:
        payer, payee, amount = self._between(op)
        draft = self._draft(key, (Leg(payer.pk, amount), Leg(payee.pk, -amount)), days)
        moves = {payer.pk: -op.minor, payee.pk: op.minor}
        return Act(op, key, lambda: posting.post(draft=draft, now=NOW), moves, {payer.pk: op.minor}, drafts=1)

    def _forced(self, op: Op, key: str) -> Act:
        account = self.wallets[_DRAWN[op.first % len(_DRAWN)]][-1]
        amount = Money(op.minor, account.currency)
        draft = self._draft(key, (Leg(account.pk, amount), Leg(self.house[account.currency], -amount)))
        return Act(op, key, lambda: post_forced(draft=draft, now=NOW), {account.pk: -op.minor}, drafts=1)

    def _backdate(self, op: Op, key: str) -> Act:
        return self._post(op, key, days=1 + op.second % 60)

    def _many(self, op: Op, key: str) -> Act:
        payer, payee, amount = self._between(op)
        drafts = [
            self._draft(f"{key}/{part}", (Leg(payer.pk, amount), Leg(payee.pk, -amount))) for part in range(3)
        ]
        moves = {payer.pk: -3 * op.minor, payee.pk: 3 * op.minor}
        run = lambda: posting.post_many(drafts=drafts, now=NOW)  # noqa: E731 - reads as the others
        return Act(op, key, run, moves, {payer.pk: 3 * op.minor}, drafts=3)

    def _exchange(self, op: Op, key: str) -> Act:
        code = _DRAWN[3 + op.first % 3]
        sold, bought = self.wallets["EUR"][op.first % 4], self.wallets[code][op.second % 2]
        euro, other = Money(op.minor, "EUR"), Money(op.minor * 2, code)
        legs = (
            *(Leg(sold.pk, euro), Leg(self.house["EUR"], -euro)),
            *(Leg(self.house[code], other), Leg(bought.pk, -other)),
        )
        draft = self._draft(key, legs)
        moves = {sold.pk: -euro.minor, bought.pk: other.minor}
        return Act(
            op, key, lambda: posting.post(draft=draft, now=NOW), moves, {sold.pk: euro.minor}, drafts=1
        )

    def _reverse(self, op: Op, key: str) -> Act | None:
        if not self.reversible:
            return None
        public_id, moves = self.reversible[op.first % len(self.reversible)]
        back = {account: -minor for account, minor in moves.items()}

        def run() -> Any:
            return posting.reverse(
                transaction_public_id=public_id, source="storm", source_key=key, effective_date=TODAY, now=NOW
            )

        return Act(
            op, key, run, back, {account: -minor for account, minor in back.items() if minor < 0}, drafts=1
        )

    def _hold(self, op: Op, key: str) -> Act:
        account = self._between(op)[0]
        due = self.deadline if op.second % 3 == 0 else None

        def run() -> Any:
            return holds.place_hold(
                account_id=account.pk,
                amount=Money(op.minor, account.currency),
                source="storm",
                source_key=key,
                expires_at=due,
                now=NOW,
            )

        return Act(op, key, run, takes={account.pk: op.minor}, hold_id=-1)

    def _some_hold(self, op: Op) -> tuple[int, Account] | None:
        if not self.open:
            return None
        hold_id = sorted(self.open)[-1 - op.first % min(len(self.open), 8)]
        return hold_id, self.accounts[self.open[hold_id].account]

    def _change(self, op: Op, key: str) -> Act | None:
        found = self._some_hold(op)
        if found is None:
            return None
        hold_id, account = found
        delta = Money(op.minor if op.second % 2 else -op.minor, account.currency)
        run = lambda: holds.change_hold(hold_id=hold_id, delta=delta, source_key=key, now=NOW)  # noqa: E731
        takes = {account.pk: delta.minor} if delta.minor > 0 else {}
        return Act(op, key, run, takes=takes, hold_id=hold_id, delta=delta.minor)

    def _release(self, op: Op, key: str) -> Act | None:
        found = self._some_hold(op)
        if found is None:
            return None
        run = lambda: holds.release_hold(hold_id=found[0], source_key=key, now=NOW)  # noqa: E731
        return Act(op, key, run, hold_id=found[0], final=True)

    def _part(self, op: Op, key: str) -> Act | None:
        return self._capture(op, key, final=False)

    def _capture(self, op: Op, key: str, *, final: bool = True) -> Act | None:
        found = self._some_hold(op)
        if found is None:
            return None
        hold_id, account = found
        payee = self.house[account.currency]
        amount = Money(op.minor, account.currency)
        draft = self._draft(key, (Leg(account.pk, amount), Leg(payee, -amount)))

        def run() -> Any:
            return holds.capture_hold(hold_id=hold_id, draft=draft, amount=amount, final=final, now=NOW)

        moves = {account.pk: -op.minor}
        return Act(op, key, run, moves, hold_id=hold_id, delta=-op.minor, final=final, drafts=1)

    def _expire(self, op: Op, key: str) -> Act:
        return Act(op, key, lambda: holds.expire_holds(now=self.deadline, limit=5))

    def _repeat(self, op: Op, _key: str) -> Act | None:
        again = [act for act in self.done[-20:] if act.op.kind in ("post", "exchange", "hold", "backdate")]
        if not again:
            return None
        old = again[op.first % len(again)]
        # The same key and content: accepted, and nothing more happens.
        return Act(op, old.key, old.run)

    # --- what must hold -------------------------------------------------------------------------------------------
    def settle(self, acts: Sequence[Act]) -> None:
        """Take in a batch and compare with the database."""
        accepted = [act for act in acts if act.error is None]
        self._check_refusals(acts, accepted)
        for act in accepted:
            for account, minor in act.moves.items():
                if account in self.net:
                    self.net[account] += minor
        self._check_once(acts)
        self._follow_holds(acts)
        self._check_balances()
        for act in accepted:
            if act.op.kind in ("post", "exchange"):
                self.done.append(act)
                self.reversible.append((act.answer.public_id, act.moves))
            elif act.op.kind in ("hold", "backdate"):
                self.done.append(act)

    def _check_refusals(self, acts: Sequence[Act], accepted: Sequence[Act]) -> None:
        """Nobody is refused for want of funds unless, in some order, they were missing."""
        least = {
            account: self.net[account] - self.held[account] - floor for account, floor in self.floor.items()
        }
        for act in accepted:
            for account, minor in act.takes.items():
                least[account] -= minor
            for account, minor in act.moves.items():
                if account in least and account not in act.takes and minor < 0 and not act.hold_id:
                    least[account] += minor
        for act in acts:
            if isinstance(act.error, InsufficientFunds):
                missing = [account for account, minor in act.takes.items() if minor > least.get(account, 0)]
                assert missing, (act.op, act.error, least)

    def _check_once(self, acts: Sequence[Act]) -> None:
        """Each accepted operation left its transactions once, each refused one none."""
        wanted: dict[str, int] = {}
        for act in acts:
            if act.op.kind not in ("repeat", "expire", "hold", "change", "release"):
                keys = [act.key] if act.drafts < 2 else [f"{act.key}/{part}" for part in range(act.drafts)]
                wanted |= dict.fromkeys(keys, int(act.error is None))
        rows = LedgerTransaction.objects.filter(source="storm", source_key__in=wanted)
        found = set(rows.values_list("source_key", flat=True))
        assert found == {key for key, times in wanted.items() if times}

    def _follow_holds(self, acts: Sequence[Act]) -> None:
        """A hold keeps open what was accepted of it; ends when that is nothing, or by what ends it; expires when due."""
        placed = Hold.objects.filter(
            source="storm", source_key__in=[act.key for act in acts if act.op.kind == "hold"]
        )
        accepted = {act.key: act.op.minor for act in acts if act.op.kind == "hold" and act.error is None}
        assert {row.source_key: row.amount_minor for row in placed} == accepted
        self.open |= {
            row.pk: Kept(row.account_id, accepted[row.source_key], row.expires_at is not None)
            for row in placed
        }
        self._check_events([act for act in acts if act.hold_id > 0])
        swept = any(act.op.kind == "expire" and act.error is None for act in acts)
        done = [act for act in acts if act.hold_id > 0 and act.error is None]
        ended = {act.hold_id for act in done if act.final}
        for act in done:
            if act.hold_id not in ended:
                self.open[act.hold_id].minor += act.delta
        for state in HoldState.objects.filter(pk__in=self.open):
            kept = self.open[state.pk]
            if state.pk in ended or not kept.minor or (state.status == "EXPIRED" and kept.due and swept):
                kept.minor = 0
                assert state.status != "ACTIVE"
                del self.open[state.pk]
            assert state.open_minor == kept.minor
        self.held = dict.fromkeys(self.floor, 0)
        for kept in self.open.values():
            self.held[kept.account] += kept.minor

    def _check_events(self, acts: Sequence[Act]) -> None:
        """Each accepted change of a hold left its event once, each refused one none."""
        wanted = {
            (act.hold_id, f"storm:{act.key}" if act.drafts else act.key): act.error is None for act in acts
        }
        rows = HoldEvent.objects.filter(hold_id__in={hold for hold, _ in wanted}).values_list(
            "hold_id", "source_key"
        )
        assert Counter(row for row in rows if row in wanted) == Counter(
            key for key, done in wanted.items() if done
        )

    def _check_balances(self) -> None:
        rows = {row.pk: row for row in Balance.objects.filter(pk__in=self.floor)}
        owed = dict.fromkeys(self.floor, 0) | dict(
            Owing.objects.filter(pk__in=self.floor).values_list("pk", "receivable__balance__posted")
        )
        assert {pk: row.posted - owed[pk] for pk, row in rows.items()} == self.net
        assert {pk: row.held for pk, row in rows.items()} == self.held
        for pk, row in rows.items():
            available = row.posted - row.held - self.floor[pk]
            assert available >= 0
            assert not (owed[pk] and available), "whoever owes has nothing to spend"
        latest = Posting.objects.filter(account_id__in=self.floor).order_by("-id")[:200]
        for leg in latest:
            assert leg.balance_after - leg.held_after >= self.floor[leg.account_id]


def _lasts(floors: Sequence[int]) -> list[bool]:
    return [number == len(floors) - 1 for number in range(len(floors))]
