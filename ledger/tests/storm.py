"""
Many threads at the same accounts, and the small model that they are held against.

A crew of threads runs a batch of operations at once. Who is let in first is not ours to say, so the model asks what
must hold whatever the order was: each accepted operation counts once, each refused one not at all, no posting went
below a floor, and nothing was refused for want of funds that could not have been missing. A batch of one leaves no
doubt, and then the model is exact. Connections are cut at random; a thread that lost its own asks again under its key.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Sum

from flowlet.core.errors import AppError
from flowlet.core.money import Money
from ledger.errors import InsufficientFunds
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Hold, HoldEvent, HoldState
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations import holds, posting
from ledger.operations.posting import Draft, Leg
from ledger.tests.factories import NOW, TODAY, bank, wallet_account

# A number may belong to somebody else by now: only a connection to this database is cut.
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND datname = current_database()"
)
FUNDS = 10_000
THREADS = 6
FLOORS = (0, 0, -500, 0)  # of the euro wallets; the third may be overdrawn
KINDS = (
    "post",
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


@dataclass(frozen=True)
class Op:
    """One operation; the numbers choose among what there is when it is made."""

    kind: str
    first: int
    second: int
    minor: int


@dataclass
class Act:
    """An operation with its key, and what came of it: `error` is None when it was accepted."""

    op: Op
    key: str
    run: Callable[[], Any]
    moves: dict[int, int] = field(default_factory=dict)  # account -> change of what it holds, natural sign
    takes: dict[int, int] = field(default_factory=dict)  # account -> what it needs available
    hold_id: int = 0
    drafts: int = 0
    error: AppError | None = None
    answer: Any = None


class Crew:
    """Threads with a connection each, which may be cut under their hands."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads)
        self._pids: dict[int, int] = {}
        self._guard = Lock()
        self.cut = self.deadlocks = 0

    def run(self, acts: Sequence[Act], *, cuts: int) -> None:
        """Run all at once; `cuts` connections are ended meanwhile."""
        if len(acts) == 1:
            self._attempt(acts[0])
            return
        barrier = Barrier(min(len(acts), self._threads))
        running = [self._pool.submit(self._begin, act, barrier, number) for number, act in enumerate(acts)]
        for _ in range(cuts):
            self._cut_one()
        for one in running:
            one.result()

    def close(self) -> None:
        """Close every thread's connection and end the threads."""
        barrier = Barrier(self._threads)

        def leave() -> None:
            barrier.wait()
            connection.close()

        for one in [self._pool.submit(leave) for _ in range(self._threads)]:
            one.result()
        self._pool.shutdown()

    def _begin(self, act: Act, barrier: Barrier, number: int) -> None:
        if number < barrier.parties:
            barrier.wait()
        self._attempt(act)

    def _attempt(self, act: Act) -> None:
        for _ in range(20):
            try:
                self._note_connection()
                act.error = None
                act.answer = act.run()
            except AppError as refusal:
                act.error = refusal
            except (OperationalError, InterfaceError) as error:
                if getattr(error.__cause__, "pgcode", None) == "40P01":
                    self.deadlocks += 1
                connection.close()
                continue
            return
        raise AssertionError(f"{act.op} never got through")

    def _note_connection(self) -> None:
        if connection.connection is None or connection.connection.closed:
            connection.close()
            connection.ensure_connection()
            with self._guard:
                self._pids[id(connection.connection)] = connection.connection.info.backend_pid

    def _cut_one(self) -> None:
        with self._guard:
            own = connection.connection.info.backend_pid if connection.connection else 0
            pids = [pid for pid in self._pids.values() if pid != own]
        if pids:
            with connection.cursor() as cursor:
                cursor.execute(_CUT, [random.choice(pids)])
                self.cut += cursor.rowcount


class Model:
    """What the accounts and holds should be, in a few dictionaries."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.euro = [wallet_account() for _ in FLOORS]
        self.yen = [wallet_account("JPY") for _ in FLOORS]
        for account, floor in zip(self.euro, FLOORS, strict=True):
            Balance.objects.filter(pk=account.pk).update(floor=floor)
        self.house = {code: bank(code).pk for code in ("EUR", "JPY")}
        self.floor = {
            row.pk: floor
            for row, floor in zip(self.euro + self.yen, FLOORS + (0,) * len(FLOORS), strict=True)
        }
        self.posted = dict.fromkeys(self.floor, 0)
        self.held = dict.fromkeys(self.floor, 0)
        self.open: dict[int, tuple[int, int]] = {}  # hold -> account, open
        self.done: list[Act] = []
        self.reversible: list[tuple[str, dict[int, int]]] = []
        self.number = 0
        for row in self.euro + self.yen:
            legs = (
                Leg(self.house[row.currency], Money(FUNDS, row.currency)),
                Leg(row.pk, Money(-FUNDS, row.currency)),
            )
            posting.post(draft=self._draft(self._key(), legs), now=NOW)
            self.posted[row.pk] = FUNDS
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
        rows = self.yen if op.first % 5 == 0 else self.euro
        payer = rows[op.first % len(rows)]
        payee = rows[(op.first + 1 + op.second % (len(rows) - 1)) % len(rows)]
        return payer, payee, Money(op.minor, payer.currency)

    def _post(self, op: Op, key: str, days: int = 0) -> Act:
        payer, payee, amount = self._between(op)
        draft = self._draft(key, (Leg(payer.pk, amount), Leg(payee.pk, -amount)), days)
        moves = {payer.pk: -op.minor, payee.pk: op.minor}
        return Act(op, key, lambda: posting.post(draft=draft, now=NOW), moves, {payer.pk: op.minor}, drafts=1)

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
        sold, bought = self.euro[op.first % 4], self.yen[op.second % 4]
        euro, yen = Money(op.minor, "EUR"), Money(op.minor * 2, "JPY")
        legs = (
            *(Leg(sold.pk, euro), Leg(self.house["EUR"], -euro)),
            *(Leg(self.house["JPY"], yen), Leg(bought.pk, -yen)),
        )
        draft = self._draft(key, legs)
        moves = {sold.pk: -euro.minor, bought.pk: yen.minor}
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

    def _some_hold(self, op: Op) -> tuple[int, Account, int] | None:
        if not self.open:
            return None
        hold_id = sorted(self.open)[-1 - op.first % min(len(self.open), 8)]  # the latest are mostly open
        account_id, minor = self.open[hold_id]
        return hold_id, next(row for row in self.euro + self.yen if row.pk == account_id), minor

    def _change(self, op: Op, key: str) -> Act | None:
        found = self._some_hold(op)
        if found is None:
            return None
        hold_id, account, _ = found
        delta = Money(op.minor if op.second % 2 else -op.minor, account.currency)
        run = lambda: holds.change_hold(hold_id=hold_id, delta=delta, source_key=key, now=NOW)  # noqa: E731
        return Act(op, key, run, takes={account.pk: delta.minor} if delta.minor > 0 else {}, hold_id=hold_id)

    def _release(self, op: Op, key: str) -> Act | None:
        found = self._some_hold(op)
        if found is None:
            return None
        run = lambda: holds.release_hold(hold_id=found[0], source_key=key, now=NOW)  # noqa: E731
        return Act(op, key, run, hold_id=found[0])

    def _part(self, op: Op, key: str) -> Act | None:
        return self._capture(op, key, final=False)

    def _capture(self, op: Op, key: str, *, final: bool = True) -> Act | None:
        found = self._some_hold(op)
        if found is None:
            return None
        hold_id, account, _ = found
        payee = self.house[account.currency]
        amount = Money(op.minor, account.currency)
        draft = self._draft(key, (Leg(account.pk, amount), Leg(payee, -amount)))

        def run() -> Any:
            return holds.capture_hold(hold_id=hold_id, draft=draft, amount=amount, final=final, now=NOW)

        return Act(op, key, run, {account.pk: -op.minor}, hold_id=hold_id, drafts=1)

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
                if account in self.posted:
                    self.posted[account] += minor
        self._check_once(acts)
        self._read_holds(acts)
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
            account: self.posted[account] - self.held[account] - floor
            for account, floor in self.floor.items()
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

    def _read_holds(self, acts: Sequence[Act]) -> None:
        placed = Hold.objects.filter(
            source="storm", source_key__in=[act.key for act in acts if act.op.kind == "hold"]
        )
        found = {row.source_key: row for row in placed}
        assert set(found) == {act.key for act in acts if act.op.kind == "hold" and act.error is None}
        self.open |= {row.pk: (row.account_id, row.amount_minor) for row in placed}
        self._check_events([act for act in acts if act.hold_id > 0])
        states = {row.pk: row for row in HoldState.objects.filter(pk__in=self.open)}
        sums = (
            HoldEvent.objects.filter(hold_id__in=self.open)
            .values_list("hold_id")
            .annotate(Sum("delta_minor"))
        )
        assert dict(sums) == {pk: row.open_minor for pk, row in states.items()}
        self.open = {
            pk: (row.account_id, row.open_minor) for pk, row in states.items() if row.status == "ACTIVE"
        }
        self.held = dict.fromkeys(self.floor, 0)
        for account_id, minor in self.open.values():
            self.held[account_id] += minor

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
        assert {pk: row.posted for pk, row in rows.items()} == self.posted
        assert {pk: row.held for pk, row in rows.items()} == self.held
        for pk, row in rows.items():
            assert row.posted - row.held >= self.floor[pk]
        latest = Posting.objects.filter(account_id__in=self.floor).order_by("-id")[:200]
        for leg in latest:
            assert leg.balance_after - leg.held_after >= self.floor[leg.account_id]
