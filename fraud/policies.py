"""Pure decisions: which action is cheapest, and what is allowed when parts have failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from fraud.choices import STRICTNESS, Action, Degraded, Product
from fraud.errors import BadScoringRequest
from fraud.values import Hit


@dataclass(frozen=True, slots=True)
class Costs:
    """
    What each outcome costs, in minor units of the base currency, and what each protection is worth.

    `*_effect` is the share of frauds a step catches, `*_friction_minor` what it costs to bother a good customer.
    `review_from` is the probability below which nobody is asked to look (kept by capacity). The limits at the end
    hold while no model scores, or while history cannot be read.
    """

    loss_share: float = 1.0
    loss_fixed_minor: int = 1_500
    step_up_minor: int = 10
    step_up_friction_minor: int = 60
    step_up_effect: float = 0.7
    review_minor: int = 500
    review_friction_minor: int = 120
    review_effect: float = 0.92
    decline_friction_minor: int = 3_000
    review_from: float = 0.03
    unscored_allow_minor: int = 100_000
    unscored_step_up_minor: int = 500_000
    cheap_allow_minor: int = 20_000


def costs_of(values: Mapping[str, object]) -> Costs:
    """
    Return costs from stored values; what is absent keeps its default.

    :raises ValueError: if a name is unknown or a value is no number from zero up
    """
    known = {item.name for item in fields(Costs)}
    for name, value in values.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{name} is no cost of a policy")
    return Costs(**values)  # type: ignore[arg-type] # checked above


def expected_costs(probability: float, base_minor: int, costs: Costs) -> dict[Action, float]:
    """Return what each action is expected to cost, in minor units."""
    loss = base_minor * costs.loss_share + costs.loss_fixed_minor
    good = 1 - probability
    return {
        Action.ALLOW: probability * loss,
        Action.STEP_UP: costs.step_up_minor
        + good * costs.step_up_friction_minor
        + probability * (1 - costs.step_up_effect) * loss,
        Action.REVIEW: costs.review_minor
        + good * costs.review_friction_minor
        + probability * (1 - costs.review_effect) * loss,
        Action.DECLINE: good * costs.decline_friction_minor,
    }


def cheapest(probability: float, base_minor: int, costs: Costs) -> Action:
    """Return the action of least expected cost; on a tie the milder one. Review needs a probability worth a look."""
    expected = expected_costs(probability, base_minor, costs)
    if probability < costs.review_from:
        del expected[Action.REVIEW]
    return min(expected, key=lambda action: (expected[action], STRICTNESS[action]))


def unscored(base_minor: int, costs: Costs, degraded: Sequence[Degraded]) -> Action:
    """Return what may happen when no model has scored: small amounts pass, larger ones are looked at."""
    if Degraded.CHEAP_FEATURES in degraded:
        return Action.ALLOW if base_minor <= costs.cheap_allow_minor else Action.REVIEW
    if base_minor <= costs.unscored_allow_minor:
        return Action.ALLOW
    return Action.STEP_UP if base_minor <= costs.unscored_step_up_minor else Action.REVIEW


def blind(product: str) -> Action:
    """Return what happens when nothing worked: a card is declined, a payment held; never allowed."""
    return Action.DECLINE if product == Product.CARD else Action.REVIEW


def strictest(action: Action, hits: Sequence[Hit]) -> Action:
    """Return the action raised to what the live hits ask for; a rule never lowers it."""
    asked = [Action(hit.action) for hit in hits if hit.live]
    return max([action, *asked], key=STRICTNESS.__getitem__)


def check_amount(amount_minor: int, base_minor: int) -> None:
    """
    Refuse amounts that no payment can have.

    :raises BadScoringRequest: below zero, or beyond what the ledger books
    """
    if amount_minor < 0 or base_minor < 0 or max(amount_minor, base_minor) > 10**15:
        raise BadScoringRequest
