"""
One row's score: ONNX as it serves, against the libraries that trained it; five interleaved rounds in one process.

    python bench/score.py

Prints p50 and p99 in milliseconds of wall time, one thread each, and the shares of the features likewise.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowlet.settings.test")

import django
import numpy as np
import xgboost

django.setup()

from fraud.serving import bundle  # noqa: E402 - needs Django to be set up
from fraud.serving.loader import open_session  # noqa: E402 - needs Django to be set up
from fraud.serving.reasons import explainer_of  # noqa: E402 - needs Django to be set up
from fraud.training.learners import registry  # noqa: E402 - needs Django to be set up

ROUNDS, ROWS, FEATURES = 5, 100, 64


def made_up() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(6_000, FEATURES)).astype(np.float32)
    rows[generator.random(rows.shape) < 0.1] = np.nan
    signal = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1]) * np.nan_to_num(rows[:, 2])
    return rows, (signal + generator.normal(size=len(rows)) / 2 > 2.5).astype(np.int64)


def timed(call: Callable[[np.ndarray], object], rows: np.ndarray) -> list[float]:
    spent = []
    for row in rows:
        one = row.reshape(1, -1)
        started = time.perf_counter()
        call(one)
        spent.append(1000 * (time.perf_counter() - started))
    return spent


def contenders(rows: np.ndarray, frauds: np.ndarray) -> dict[str, Callable[[np.ndarray], object]]:
    found: dict[str, Callable[[np.ndarray], object]] = {}
    for name, learner in registry.LEARNERS.items():
        fitted = learner.fit(rows, frauds, parameters=learner.defaults, seed=0)
        files = fitted.files("bench")
        session = open_session(files[bundle.SCORER])
        found[f"{name}: ONNX"] = partial(by_onnx, session)
        found[f"{name}: library"] = fitted.score
        explainer = explainer_of(files, [str(number) for number in range(FEATURES)])
        if explainer is not None:
            found[f"{name}: shares"] = partial(shares, explainer)
        if name == "boosted":
            # The protocol of learners hides what only the library itself can be measured by.
            found["boosted: shares by xgboost"] = partial(
                shares_by_xgboost, cast("Any", fitted).model.get_booster()
            )
    return found


def by_onnx(session: Any, row: np.ndarray) -> object:
    return session.run([bundle.SCORE], {bundle.INPUT: row})


def shares(explainer: Any, row: np.ndarray) -> object:
    return explainer.contributions(row[0])


def shares_by_xgboost(booster: Any, row: np.ndarray) -> object:
    return booster.predict(xgboost.DMatrix(row, nthread=1), pred_contribs=True)


def main() -> None:
    registry.load()
    rows, frauds = made_up()
    calls = contenders(rows, frauds)
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        timed(call, rows[:20])
    for number in range(ROUNDS):
        sample = rows[number * ROWS : (number + 1) * ROWS]
        for name, call in calls.items():
            spent[name].extend(timed(call, sample))
    print(f"{'one row, ms':30}{'p50':>9}{'p99':>9}")
    for name, values in spent.items():
        print(f"{name:30}{np.quantile(values, 0.5):9.3f}{np.quantile(values, 0.99):9.3f}")


if __name__ == "__main__":
    main()
