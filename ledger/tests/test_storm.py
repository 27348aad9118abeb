"""
Random operations by six threads whose connections are cut at random, against the small model of storm.py.

`make test` runs some hundred of them; `make storm` a hundred thousand (STORM_OPERATIONS).
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from flowlet.identity.models import Customer
from ledger.queries.verification import verify
from ledger.tests.crew import Act, Crew, Op
from ledger.tests.storm import KINDS, Model

_OPERATIONS = int(os.environ.get("STORM_OPERATIONS", "400"))
_BATCH, _STEPS = 16, 25
OPS = st.builds(Op, st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 99), st.integers(1, 3_000))


class _Told:
    """What a run did, for whoever reads the output."""

    def __init__(self) -> None:
        self.operations = self.refused = self.machines = 0
        self.accepted: Counter[str] = Counter()


@pytest.fixture
def crew() -> Iterator[Crew]:
    threads = Crew()
    yield threads
    threads.close()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_doubled_or_overdrawn_whatever_happens_at_once(
    crew: Crew, customer: Customer, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _Told()

    class Storm(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            told.machines += 1
            self.model = Model(f"m{told.machines}", customer)

        def _run(self, ops: list[Op], cuts: int) -> None:
            acts: list[Act] = [act for op in ops if (act := self.model.act(op)) is not None]
            if acts:
                crew.run(acts, cuts=cuts)
                self.model.settle(acts)
                told.operations += len(acts)
                told.refused += sum(act.error is not None for act in acts)
                told.accepted.update(act.op.kind for act in acts if act.error is None)

        @rule(op=OPS)
        def one_alone(self, op: Op) -> None:
            self._run([op], 0)

        @rule(ops=st.lists(OPS, min_size=_BATCH // 2, max_size=_BATCH), cuts=st.integers(0, 2))
        def many_at_once(self, ops: list[Op], cuts: int) -> None:
            self._run(ops, cuts)

        @rule(ops=st.lists(OPS, min_size=_BATCH, max_size=2 * _BATCH), cuts=st.integers(0, 1))
        def a_crowd_at_once(self, ops: list[Op], cuts: int) -> None:
            self._run(ops, cuts)

    while told.operations < _OPERATIONS:
        run_state_machine_as_test(
            Storm,
            settings=settings(
                max_examples=max(1, min(20, (_OPERATIONS - told.operations) // (_BATCH * _STEPS // 2))),
                stateful_step_count=_STEPS,
                deadline=None,
                derandomize=False,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )

    with capsys.disabled():
        sys.stdout.write(
            f"\nstorm: {told.operations:,} operations, {told.refused:,} refused, {crew.cut} connections cut,"
            f" {crew.deadlocks} deadlocks, {told.machines} machines\naccepted:"
            f" {', '.join(f'{kind} {count:,}' for kind, count in sorted(told.accepted.items()))}\n"
        )
    assert crew.deadlocks == 0
    assert verify().clean
