"""The payout rail: money sent to a bank account by Stripe. Stripe's units stay inside the client."""

from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.stripe import payouts
from flowlet.integrations.stripe.units import to_stripe_payout
from payments.rails.registry import PAYOUT_RAILS, Call


class StripePayoutRail:
    """
    Sends to the bank account that Stripe knows under our id of it.

    ACCEPTED while it is under way, DONE when the bank has it, REFUSED when it failed or came back.
    """

    title = "Bank payout"
    vendor = "stripe"

    def check(self, amount: Money) -> None:
        """
        Take an amount that Stripe can express and pay out.

        :raises flowlet.integrations.stripe.units.UnsupportedAmount: if it cannot
        """
        to_stripe_payout(amount)

    def send(self, call: Call) -> Answer[None]:
        """Create a payout."""
        answer = payouts.create_payout(
            amount=call.amount, destination=call.target, our_reference=call.our_reference
        )
        return _read(answer, call)

    def get(self, call: Call) -> Answer[None]:
        """Ask after the payout."""
        if call.vendor_reference:
            answer = payouts.get_payout(payout=call.vendor_reference, our_reference=call.our_reference)
        else:
            answer = payouts.find_payout(our_reference=call.our_reference, since=call.since)
        return _read(answer, call)


def _read(answer: Answer[payouts.Payout], call: Call) -> Answer[None]:
    payout = answer.value
    if payout is not None and payout.our_reference != call.our_reference:
        return _odd(answer, "not_ours")
    if payout is not None and payout.amount != call.amount:
        return _odd(answer, "amount_differs")
    return Answer(
        answer.outcome, answer.reference, answer.code, request_id=answer.request_id, alarm=answer.alarm
    )


def _odd(answer: Answer[payouts.Payout], code: str) -> Answer[None]:
    return Answer(Outcome.UNKNOWN, answer.reference, code, request_id=answer.request_id, alarm=True)


PAYOUT_RAILS.register("stripe_payout")(StripePayoutRail())
