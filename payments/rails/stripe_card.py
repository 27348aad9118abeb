"""The card rail: collected and given back by Stripe. Stripe's units stay inside the client."""

from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.stripe import client
from flowlet.integrations.stripe.units import to_stripe
from payments.rails.registry import OUTSIDE_RAILS, Call


class StripeCardRail:
    """Collects from a card at once; a card that asks its holder to authenticate is let go, nothing is collected."""

    title = "Card"
    vendor = "stripe"
    returnable = False
    refundable = True

    def check(self, amount: Money) -> None:
        """
        Take an amount that Stripe can express.

        :raises flowlet.integrations.stripe.units.UnsupportedAmount: if it cannot
        """
        to_stripe(amount)

    def check_target(self, *, partner_id: int, customer_id: int, target: str) -> None:
        """Take any token: only Stripe knows whether it stands for a card."""

    def collect(self, call: Call) -> Answer[None]:
        """Create an intent and try it."""
        answer = client.create_intent(
            amount=call.amount, our_reference=call.our_reference, payment_method=call.target
        )
        return _read(answer, call)

    def get(self, call: Call) -> Answer[None]:
        """Ask after the intent."""
        if call.vendor_reference:
            return _read(
                client.get_intent(intent=call.vendor_reference, our_reference=call.our_reference), call
            )
        return _read(client.find_intent(our_reference=call.our_reference, since=call.since), call)

    def refund(self, call: Call) -> Answer[None]:
        """Create a refund."""
        answer = client.create_refund(
            intent=call.target, amount=call.amount, our_reference=call.our_reference
        )
        return _read_refund(answer, call)

    def get_refund(self, call: Call) -> Answer[None]:
        """Ask after the refund."""
        if call.vendor_reference:
            answer = client.get_refund(refund=call.vendor_reference, our_reference=call.our_reference)
        else:
            answer = client.find_refund(
                our_reference=call.our_reference, intent=call.target, since=call.since
            )
        return _read_refund(answer, call)


def _read(answer: Answer[client.Intent], call: Call) -> Answer[None]:
    intent = answer.value
    if intent is None:
        return _plain(answer)
    if intent.our_reference != call.our_reference:
        return _odd(answer, "not_ours")
    if answer.outcome is Outcome.DONE and intent.received != call.amount:
        return _odd(answer, "amount_differs")
    if intent.needs_action:
        return _let_go(answer, call)
    return _plain(answer)


def _let_go(answer: Answer[client.Intent], call: Call) -> Answer[None]:
    """Cancel an intent that waits for its holder; only a cancelled one has certainly collected nothing."""
    cancelled = client.cancel_intent(intent=answer.reference, our_reference=f"{call.our_reference}-cancel")
    if cancelled.outcome is Outcome.DONE and cancelled.value and cancelled.value.status == "canceled":
        return Answer(
            Outcome.REFUSED, answer.reference, "authentication_required", request_id=answer.request_id
        )
    return _plain(answer)


def _read_refund(answer: Answer[client.Refund], call: Call) -> Answer[None]:
    refund = answer.value
    if refund is not None and refund.our_reference != call.our_reference:
        return _odd(answer, "not_ours")
    if refund is not None and answer.outcome is Outcome.DONE and refund.amount != call.amount:
        return _odd(answer, "amount_differs")
    return _plain(answer)


def _plain(answer: Answer[client.Intent] | Answer[client.Refund]) -> Answer[None]:
    return Answer(
        answer.outcome, answer.reference, answer.code, request_id=answer.request_id, alarm=answer.alarm
    )


def _odd(answer: Answer[client.Intent] | Answer[client.Refund], code: str) -> Answer[None]:
    return Answer(Outcome.UNKNOWN, answer.reference, code, request_id=answer.request_id, alarm=True)


OUTSIDE_RAILS.register("stripe_card")(StripeCardRail())
