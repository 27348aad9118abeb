"""The shapes of Stripe's objects, and what its test payment methods do. Standard library only."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
API_VERSION = "2023-08-16"


@dataclass(frozen=True, slots=True)
class TestCard:
    """
    What a test payment method does: `decline` is Stripe's code and decline code, `challenge` asks the payer first,
    `refund_fails` lets a refund fail some time after it seemed to work, `disputed` has the holder dispute the charge.
    """

    last4: str
    brand: str = "visa"
    decline: tuple[str, str] | None = None
    challenge: bool = False
    refund_fails: bool = False
    disputed: bool = False


# Source: Stripe's documentation, "Testing", table of payment methods; read 2026-11-24.
CARDS = {
    "pm_card_visa": TestCard("4242"),
    "pm_card_visa_debit": TestCard("5556"),
    "pm_card_mastercard": TestCard("4444", "mastercard"),
    "pm_card_amex": TestCard("8431", "amex"),
    "pm_card_visa_chargeDeclined": TestCard("0002", decline=("card_declined", "generic_decline")),
    "pm_card_chargeDeclined": TestCard("0002", decline=("card_declined", "generic_decline")),
    "pm_card_chargeDeclinedInsufficientFunds": TestCard(
        "9995", decline=("card_declined", "insufficient_funds")
    ),
    "pm_card_visa_chargeDeclinedInsufficientFunds": TestCard(
        "9995", decline=("card_declined", "insufficient_funds")
    ),
    "pm_card_visa_chargeDeclinedLostCard": TestCard("9987", decline=("card_declined", "lost_card")),
    "pm_card_visa_chargeDeclinedStolenCard": TestCard("9979", decline=("card_declined", "stolen_card")),
    "pm_card_chargeDeclinedExpiredCard": TestCard("0069", decline=("expired_card", "expired_card")),
    "pm_card_chargeDeclinedIncorrectCvc": TestCard("0127", decline=("incorrect_cvc", "incorrect_cvc")),
    "pm_card_chargeDeclinedProcessingError": TestCard(
        "0119", decline=("processing_error", "processing_error")
    ),
    "pm_card_authenticationRequired": TestCard("3220", challenge=True),
    "pm_card_threeDSecure2Required": TestCard("3220", challenge=True),
    "pm_card_refundFail": TestCard("5126", refund_fails=True),
    "pm_card_createDispute": TestCard("0259", disputed=True),
}


def new_intent(**known: Any) -> Json:
    """Return a payment intent as Stripe shows it, waiting for a payment method."""
    return {
        "object": "payment_intent",
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "customer": None,
        "description": None,
        "invoice": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **known,
    }


def new_charge(intent: Json, card: TestCard, **known: Any) -> Json:
    """Return the charge that an intent's attempt made."""
    refused = card.decline is not None
    code, reason = card.decline or (None, None)
    return {
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if refused else intent["amount"],
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": {
                "city": None,
                "country": None,
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "email": None,
            "name": None,
            "phone": None,
        },
        "calculated_statement_descriptor": "FLOWLET",
        "captured": not refused,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": code,
        "failure_message": "Your card was declined." if refused else None,
        "fraud_details": {},
        "invoice": None,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": {
            "network_status": "declined_by_network" if refused else "approved_by_network",
            "reason": reason,
            "risk_level": "normal",
            "seller_message": "The bank did not return any further details."
            if refused
            else "Payment complete.",
            "type": "issuer_declined" if refused else "authorized",
        },
        "paid": not refused,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {
            "card": {
                "brand": card.brand,
                "checks": {
                    "address_line1_check": None,
                    "address_postal_code_check": None,
                    "cvc_check": "pass",
                },
                "country": "US",
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": f"simulated{card.last4}",
                "funding": "credit",
                "installments": None,
                "last4": card.last4,
                "mandate": None,
                "network": card.brand,
                "three_d_secure": None,
                "wallet": None,
            },
            "type": "card",
        },
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": None,
        "status": "failed" if refused else "succeeded",
        "transfer_data": None,
        "transfer_group": None,
        **known,
    }


def new_refund(charge: Json, **known: Any) -> Json:
    """Return a refund of a charge."""
    return {
        "object": "refund",
        "balance_transaction": None,
        "charge": charge["id"],
        "currency": charge["currency"],
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
        **known,
    }


def new_payout(**known: Any) -> Json:
    """Return a payout on its way to a bank account."""
    return {
        "object": "payout",
        "automatic": False,
        "balance_transaction": None,
        "description": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "type": "bank_account",
        **known,
    }


def new_dispute(charge: Json, **known: Any) -> Json:
    """Return a dispute of all of a charge, as fraudulent, which waits for an answer."""
    return {
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {
            "due_by": None,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
        **known,
    }


def new_movement(*, kind: str, amount: int, fee: int, source: Json, category: str = "", **known: Any) -> Json:
    """
    Return a balance transaction; amount and fee in Stripe's units, signed as seen from the balance.

    `category` is the reporting category where it is not the type itself.
    """
    detail = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Processing fees",
        "type": "stripe_fee",
    }
    return {
        "object": "balance_transaction",
        "amount": amount,
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [detail] if fee else [],
        "net": amount - fee,
        "reporting_category": category or kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
        **known,
    }


def new_list(url: str, items: list[Json], *, has_more: bool) -> Json:
    """Return one page."""
    return {"object": "list", "data": items, "has_more": has_more, "url": url}
