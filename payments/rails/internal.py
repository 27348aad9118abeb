"""The internal rail: from wallet to wallet in our own books, at once."""

from datetime import datetime

from ledger.operations.holds import capture_hold
from ledger.operations.posting import Draft, Leg, post
from payments.rails.registry import RAILS, RailAnswer, RailOrder


class InternalRail:
    """Debits the payer's account and credits the payee's in one ledger transaction."""

    title = "Internal"
    instant = True

    def send(self, order: RailOrder, *, now: datetime) -> RailAnswer:
        """
        Move the money.

        :raises ledger.errors.InsufficientFunds: if the payer's available balance is too small
        :raises ledger.errors.AccountNotOpen: if an account does not let money move
        """
        draft = Draft(
            kind=order.kind,
            source="payment",
            source_key=order.payment,
            effective_date=now.date(),
            legs=(Leg(order.payer_account_id, order.amount), Leg(order.payee_account_id, -order.amount)),
            text=order.text,
            context={"payment": order.payment},
        )
        if order.hold_id is None:
            posted = post(draft=draft, now=now)
        else:
            posted = capture_hold(hold_id=order.hold_id, draft=draft, now=now)
        return RailAnswer(transaction_id=posted.transaction_id)


RAILS.register("internal")(InternalRail())
