"""Deciding without hurry: on a busy machine reading the history may take longer than a payment may wait."""

from functools import partial

from fraud.operations import deciding

decide = partial(deciding.decide, budget_s=10)
