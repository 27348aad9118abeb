"""
The payout side of the simulated Stripe. Standard library only.

Our platform is funded beforehand: a payout is not refused for want of balance. What becomes of one is told by the last
two digits of its amount, in Stripe's units: 91 comes back after it was paid, 92 fails under way, 93 is refused at once.
"""

import re

from flowlet.integrations.simulation.protocol import Call, Json, Reply
from flowlet.integrations.stripe import shapes
from flowlet.integrations.stripe.ground import StripeGround, positive, refusal

_PAID_S, _RETURNED_S = 3.0, 60.0
_DAY_S = 24 * 3600
_COMES_BACK, _FAILS, _REFUSED = 91, 92, 93

PAYOUT_ROUTES = {
    "POST /v1/payouts": "create_payout",
    "GET /v1/payouts": "list_payouts",
    "GET /v1/payouts/{payout}": "get_payout",
    "POST /v1/payouts/{payout}/cancel": "cancel_payout",
}


class StripePayouts(StripeGround):
    """Payouts: pending, then paid or failed; one that was paid may fail later."""

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self.payouts: dict[str, Json] = {}
        self.paid_by: dict[str, str] = {}

    def create_payout(self, call: Call) -> Reply:
        """Take the money from the balance and plan what the bank will do."""
        form = call.form()
        amount = positive(form, "amount")
        currency, destination = form.get("currency", ""), form.get("destination", "")
        if not re.fullmatch("[a-z]{3}", currency):
            raise refusal("parameter_invalid", "currency")
        ending = amount % 100
        if not destination.startswith("ba_") or ending == _REFUSED:
            raise refusal("resource_missing", "destination")
        now = int(self.world.now())
        payout = shapes.new_payout(
            id=self.world.new_id("payout", "po_1"),
            amount=amount,
            arrival_date=now + _DAY_S,
            created=now,
            currency=currency,
            description=form.get("description"),
            destination=destination,
            metadata=dict(form.get("metadata", {})),
        )
        payout["balance_transaction"] = self._move("payout", -amount, 0, payout)["id"]
        self.payouts[payout["id"]] = payout
        self._tell("payout.created", payout)
        who = {"payout_id": payout["id"]}
        if ending == _FAILS:
            self.world.plan(_PAID_S, self.vendor, "fail_payout", {**who, "code": "no_account"})
        else:
            self.world.plan(_PAID_S, self.vendor, "pay_payout", who)
        if ending == _COMES_BACK:
            self.world.plan(_RETURNED_S, self.vendor, "fail_payout", {**who, "code": "account_closed"})
        return self._reply(payout)

    def step_pay_by_schedule(self, currency: str) -> None:
        """Pay out all of a currency that no payout holds yet, as Stripe's schedule would."""
        held = [
            movement
            for movement in self.movements.values()
            if movement["currency"] == currency and movement["id"] not in self.paid_by
        ]
        now = int(self.world.now())
        payout = shapes.new_payout(
            id=self.world.new_id("payout", "po_1"),
            amount=sum(movement["net"] for movement in held),
            arrival_date=now + _DAY_S,
            automatic=True,
            created=now,
            currency=currency,
            destination="ba_1House",
            reconciliation_status="completed",
        )
        own = self._move("payout", -payout["amount"], 0, payout)
        payout["balance_transaction"] = own["id"]
        self.payouts[payout["id"]] = payout
        self.paid_by |= {movement["id"]: payout["id"] for movement in [*held, own]}
        self._tell("payout.created", payout)
        self.world.plan(_PAID_S, self.vendor, "pay_payout", {"payout_id": payout["id"]})

    def step_pay_payout(self, payout_id: str) -> None:
        """Let the bank take it."""
        payout = self.payouts[payout_id]
        if payout["status"] == "pending":
            payout["status"] = "paid"
            self._tell("payout.paid", payout)

    def step_fail_payout(self, payout_id: str, code: str) -> None:
        """Let the bank say no, or send it back: the money returns to the balance."""
        payout = self.payouts[payout_id]
        if payout["status"] in ("failed", "canceled"):
            return
        self._give_back(payout, "failed", "payout_failure")
        payout.update(failure_code=code, failure_message="The bank could not process this payout.")
        self._tell("payout.failed", payout)

    def cancel_payout(self, _call: Call, payout: str) -> Reply:
        """Cancel what the bank has not got."""
        known = self._find(self.payouts, payout, "payout")
        if known["status"] != "pending":
            raise refusal("payouts_not_allowed", "")
        self._give_back(known, "canceled", "payout_cancel")
        self._tell("payout.canceled", known)
        return self._reply(known)

    def _give_back(self, payout: Json, status: str, kind: str) -> None:
        movement = self._move(kind, payout["amount"], 0, payout)
        payout.update(status=status, failure_balance_transaction=movement["id"])

    def get_payout(self, _call: Call, payout: str) -> Reply:
        """Return one payout."""
        return self._reply(self._find(self.payouts, payout, "payout"))

    def list_payouts(self, call: Call) -> Reply:
        """Return a page, newest first."""
        return self._page(call, self.payouts)
