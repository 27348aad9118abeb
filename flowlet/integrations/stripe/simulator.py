"""A Stripe that can be asked to misbehave: intents, refunds, balance, events, idempotency. Standard library only."""

import re
from typing import ClassVar

from flowlet.integrations.simulation.protocol import Call, Json, Reply
from flowlet.integrations.stripe import shapes
from flowlet.integrations.stripe.ground import card_of, copied, positive, refusal
from flowlet.integrations.stripe.shapes import CARDS
from flowlet.integrations.stripe.simulated_payouts import PAYOUT_ROUTES, StripePayouts

_AMOUNT_MAX = 99_999_999
_MINIMUM = 50
_REFUND_FAILS_S = 60.0
_DISPUTED_S, _DISPUTE_WON_S, _DISPUTE_FEE = 30.0, 600.0, 1_500
_CANCELABLE = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
    "processing",
)


class StripeSimulator(StripePayouts):
    """Stripe's payment side as far as the house uses it; amounts in Stripe's units."""

    routes: ClassVar = {
        "POST /v1/payment_intents": "create_intent",
        "GET /v1/payment_intents": "list_intents",
        "GET /v1/payment_intents/{intent}": "get_intent",
        "POST /v1/payment_intents/{intent}/confirm": "confirm_intent",
        "POST /v1/payment_intents/{intent}/cancel": "cancel_intent",
        "POST /v1/refunds": "create_refund",
        "GET /v1/refunds": "list_refunds",
        "GET /v1/refunds/{refund}": "get_refund",
        "GET /v1/disputes": "list_disputes",
        "GET /v1/disputes/{dispute}": "get_dispute",
        **PAYOUT_ROUTES,
        "GET /v1/charges/{charge}": "get_charge",
        "GET /v1/balance": "get_balance",
        "GET /v1/balance_transactions": "list_movements",
        "GET /v1/balance_transactions/{movement}": "get_movement",
        "GET /v1/events": "list_events",
        "GET /v1/events/{event}": "get_event",
    }

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self.intents: dict[str, Json] = {}
        self.charges: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.disputes: dict[str, Json] = {}

    def books(self) -> Json:
        """Return every intent, refund and movement, and the balance per currency (net of fees)."""
        balance: dict[str, int] = {}
        for movement in self.movements.values():
            balance[movement["currency"]] = balance.get(movement["currency"], 0) + movement["net"]
        return {
            "intents": self.intents,
            "charges": self.charges,
            "refunds": self.refunds,
            "payouts": self.payouts,
            "disputes": self.disputes,
            "movements": self.movements,
            "balance": balance,
            "events": self.events,
        }

    # --- payment intents ----------------------------------------------------------------------------------------

    def create_intent(self, call: Call) -> Reply:
        """Create, and with `confirm=true` try at once."""
        form = call.form()
        amount = positive(form, "amount")
        if not _MINIMUM <= amount <= _AMOUNT_MAX:
            raise refusal("amount_too_small" if amount < _MINIMUM else "amount_too_large", "amount")
        currency = form.get("currency", "")
        if not re.fullmatch("[a-z]{3}", currency):
            raise refusal("parameter_invalid", "currency")
        intent_id = self.world.new_id("intent", "pi_3")
        intent = shapes.new_intent(
            id=intent_id,
            amount=amount,
            currency=currency,
            created=int(self.world.now()),
            client_secret=f"{intent_id}_secret_{self.world.new_id('secret')}",
            metadata=dict(form.get("metadata", {})),
            description=form.get("description"),
            statement_descriptor=form.get("statement_descriptor"),
        )
        if "automatic_payment_methods" in form:
            intent["automatic_payment_methods"] = {"enabled": True, "allow_redirects": "never"}
        method = form.get("payment_method")
        if method:
            card_of(method)
            intent.update(payment_method=method, status="requires_confirmation")
        self.intents[intent_id] = intent
        self._tell("payment_intent.created", intent)
        if form.get("confirm") == "true":
            return self._attempt(intent)
        return self._reply(intent)

    def confirm_intent(self, call: Call, intent: str) -> Reply:
        """Try to collect, with another method if one is given."""
        known = self._find(self.intents, intent, "payment_intent")
        method = call.form().get("payment_method") or known["payment_method"]
        if known["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
            raise refusal("payment_intent_unexpected_state", "")
        if known["status"] == "requires_action":
            # The payer has come back from the challenge.
            return self._collect(known, CARDS["pm_card_visa"])
        if not method:
            raise refusal("parameter_missing", "payment_method")
        card_of(method)
        known.update(payment_method=method, last_payment_error=None)
        return self._attempt(known)

    def cancel_intent(self, call: Call, intent: str) -> Reply:
        """Cancel what has not been collected."""
        known = self._find(self.intents, intent, "payment_intent")
        if known["status"] not in _CANCELABLE:
            raise refusal("payment_intent_unexpected_state", "")
        known.update(
            status="canceled",
            canceled_at=int(self.world.now()),
            cancellation_reason=call.form().get("cancellation_reason"),
            next_action=None,
        )
        self._tell("payment_intent.canceled", known)
        return self._reply(known)

    def get_intent(self, _call: Call, intent: str) -> Reply:
        """Return one intent."""
        return self._reply(self._find(self.intents, intent, "payment_intent"))

    def list_intents(self, call: Call) -> Reply:
        """Return a page, newest first."""
        return self._page(call, self.intents)

    def _attempt(self, intent: Json) -> Reply:
        card = CARDS[intent["payment_method"]]
        if card.challenge:
            intent.update(
                status="requires_action",
                next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}},
            )
            self._tell("payment_intent.requires_action", intent)
            return self._reply(intent)
        if card.decline:
            return self._decline(intent, card)
        return self._collect(intent, card)

    def _decline(self, intent: Json, card: shapes.TestCard) -> Reply:
        charge = self._charge(intent, card)
        code, reason = card.decline or ("", "")
        error = {
            "charge": charge["id"],
            "code": code,
            "decline_code": reason,
            "message": "Your card was declined.",
            "type": "card_error",
        }
        # Inside the intent the last error may not hold the intent again.
        intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)
        self._tell("charge.failed", charge)
        self._tell("payment_intent.payment_failed", intent)
        body = {"error": {**error, "payment_intent": copied(intent)}}
        return Reply(402, body, {"Request-Id": self.request_id()})

    def _collect(self, intent: Json, card: shapes.TestCard) -> Reply:
        charge = self._charge(intent, card)
        fee = intent["amount"] * 15 // 1000 + 25
        movement = self._move("charge", intent["amount"], fee, charge)
        charge["balance_transaction"] = movement["id"]
        intent.update(
            status="succeeded", amount_received=intent["amount"], next_action=None, last_payment_error=None
        )
        self._tell("charge.succeeded", charge)
        self._tell("payment_intent.succeeded", intent)
        if card.disputed:
            self.world.plan(_DISPUTED_S, self.vendor, "open_dispute", {"charge_id": charge["id"]})
        return self._reply(intent)

    def _charge(self, intent: Json, card: shapes.TestCard) -> Json:
        charge = shapes.new_charge(
            intent, card, id=self.world.new_id("charge", "ch_3"), created=int(self.world.now())
        )
        self.charges[charge["id"]] = charge
        intent["latest_charge"] = charge["id"]
        return charge

    # --- disputes -----------------------------------------------------------------------------------------------

    def step_open_dispute(self, charge_id: str) -> None:
        """Let the holder dispute a charge: the money and a fee are taken at once. It is won some time later."""
        charge = self.charges[charge_id]
        dispute = shapes.new_dispute(
            charge, id=self.world.new_id("dispute", "dp_1"), created=int(self.world.now())
        )
        self.disputes[dispute["id"]] = dispute
        charge["disputed"] = True
        taken = self._move("adjustment", -charge["amount"], _DISPUTE_FEE, dispute, category="dispute")
        dispute["balance_transactions"].append(copied(taken))
        self._tell("charge.dispute.created", dispute)
        self._tell("charge.dispute.funds_withdrawn", dispute)
        self.world.plan(_DISPUTE_WON_S, self.vendor, "win_dispute", {"dispute_id": dispute["id"]})

    def step_win_dispute(self, dispute_id: str) -> None:
        """Let the issuer decide for us: the money comes back, the fee does not."""
        dispute = self.disputes[dispute_id]
        back = self._move("adjustment", dispute["amount"], 0, dispute, category="dispute_reversal")
        dispute["balance_transactions"].append(copied(back))
        dispute["status"] = "won"
        self._tell("charge.dispute.closed", dispute)
        self._tell("charge.dispute.funds_reinstated", dispute)

    def get_dispute(self, _call: Call, dispute: str) -> Reply:
        """Return one dispute."""
        return self._reply(self._find(self.disputes, dispute, "dispute"))

    def list_disputes(self, call: Call) -> Reply:
        """Return a page, newest first, of one intent or charge if asked."""
        return self._page(call, self.disputes)

    # --- refunds ------------------------------------------------------------------------------------------------

    def create_refund(self, call: Call) -> Reply:
        """Refund a charge or what an intent collected, never more than is left of it."""
        form = call.form()
        charge = self._refundable(form)
        left = charge["amount"] - charge["amount_refunded"]
        amount = positive(form, "amount") if "amount" in form else left
        if not left:
            raise refusal("charge_already_refunded", "")
        if amount > left:
            raise refusal("", "amount")
        refund = shapes.new_refund(
            charge,
            id=self.world.new_id("refund", "re_3"),
            amount=amount,
            created=int(self.world.now()),
            metadata=dict(form.get("metadata", {})),
            reason=form.get("reason"),
        )
        refund["balance_transaction"] = self._move("refund", -amount, 0, refund)["id"]
        self.refunds[refund["id"]] = refund
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        if CARDS.get(charge["payment_method"] or "", CARDS["pm_card_visa"]).refund_fails:
            self.world.plan(_REFUND_FAILS_S, self.vendor, "fail_refund", {"refund_id": refund["id"]})
        self._tell("charge.refunded", charge)
        self._tell("refund.created", refund)
        return self._reply(refund)

    def step_fail_refund(self, refund_id: str) -> None:
        """Let a refund fail that had seemed to work: the money comes back to the balance."""
        refund = self.refunds[refund_id]
        charge = self.charges[refund["charge"]]
        movement = self._move("refund_failure", refund["amount"], 0, refund)
        refund.update(
            status="failed",
            failure_reason="lost_or_stolen_card",
            failure_balance_transaction=movement["id"],
        )
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        self._tell("refund.updated", refund)
        self._tell("refund.failed", refund)

    def get_refund(self, _call: Call, refund: str) -> Reply:
        """Return one refund."""
        return self._reply(self._find(self.refunds, refund, "refund"))

    def list_refunds(self, call: Call) -> Reply:
        """Return a page, newest first, of one intent if asked."""
        return self._page(call, self.refunds)

    def _refundable(self, form: Json) -> Json:
        if "payment_intent" in form:
            intent = self._find(self.intents, form["payment_intent"], "payment_intent")
            charge = self.charges.get(intent["latest_charge"] or "")
        else:
            charge = self._find(self.charges, form.get("charge", ""), "charge")
        if charge is None or charge["status"] != "succeeded":
            raise refusal("payment_intent_unexpected_state", "payment_intent")
        if charge["disputed"]:
            raise refusal("charge_disputed", "")
        return charge

    # --- the rest -----------------------------------------------------------------------------------------------

    def get_charge(self, _call: Call, charge: str) -> Reply:
        """Return one charge."""
        return self._reply(self._find(self.charges, charge, "charge"))

    def get_movement(self, _call: Call, movement: str) -> Reply:
        """Return one balance transaction."""
        return self._reply(self._find(self.movements, movement, "balance_transaction"))

    def list_movements(self, call: Call) -> Reply:
        """Return a page of balance transactions, newest first, each with its whole source if asked."""
        reply = self._page(call, self._asked_movements(call.form().get("payout")))
        if "data.source" in str(call.form().get("expand", "")) and isinstance(reply.body, dict):
            sources = {**self.charges, **self.refunds, **self.payouts, **self.disputes}
            for movement in reply.body["data"]:
                movement["source"] = copied(sources[movement["source"]])
        return reply

    def _asked_movements(self, payout: str | None) -> dict[str, Json]:
        """Return all movements, or those of one payout by schedule; of another Stripe does not tell."""
        if payout is None:
            return self.movements
        if not self._find(self.payouts, payout, "payout")["automatic"]:
            raise refusal("", "payout")
        return {key: row for key, row in self.movements.items() if self.paid_by.get(key) == payout}

    def get_event(self, _call: Call, event: str) -> Reply:
        """Return one event."""
        return self._reply(self._find(self.events, event, "event"))

    def list_events(self, call: Call) -> Reply:
        """Return a page of events, newest first."""
        return self._page(call, self.events)

    def get_balance(self, _call: Call) -> Reply:
        """Return what is there per currency; all of it pending, since nothing settles here."""
        amounts = [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sorted(self.books()["balance"].items())
        ]
        nothing = [{**entry, "amount": 0, "source_types": {"card": 0}} for entry in amounts]
        return self._reply({"object": "balance", "livemode": False, "available": nothing, "pending": amounts})
