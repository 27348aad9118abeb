"""The bank rail: dollars drawn from a linked bank account by ACH, through Plaid. They may come back weeks later."""

from datetime import datetime

from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations import links
from flowlet.integrations.plaid import transfers
from flowlet.integrations.plaid.shapes import Authorization, Transfer
from payments.rails.registry import OUTSIDE_RAILS, Call

_DEBIT = "debit"
_DESCRIPTION = "TOPUP"


class PlaidTransferRail:
    """
    Collects from a linked account; `target` is our id of it.

    A transfer is accepted at once, settled after days, and may be returned weeks later. Nothing moves before the
    second of its two calls, and both repeat under our reference without a second effect.
    """

    title = "Bank account"
    vendor = "plaid"
    returnable = True
    refundable = False

    def check(self, amount: Money) -> None:
        """
        Take dollars.

        :raises flowlet.integrations.plaid.transfers.UnsupportedTransfer: for another currency
        """
        if amount.currency != "USD":
            raise transfers.UnsupportedTransfer(currency=amount.currency)

    def check_target(self, *, partner_id: int, customer_id: int, target: str) -> None:
        """
        Take a linked account of this very customer.

        :raises NotFound: if it is absent or another customer's
        :raises flowlet.integrations.errors.AccountNotUsable: if it was unlinked, or its owner is somebody else
        """
        links.get_usable_account(partner_id=partner_id, customer_id=customer_id, public_id=target)

    def collect(self, call: Call) -> Answer[None]:
        """Ask whether the transfer may be made, then make it."""
        account = links.find_account(call.target)
        if account is None or not account.usable:
            return Answer(Outcome.REFUSED, code="bank_account_not_usable")
        token = account.link.access_token or ""
        allowed = transfers.authorize_transfer(
            access_token=token,
            account_id=account.vendor_reference,
            direction=_DEBIT,
            amount=call.amount,
            legal_name=account.link.customer.name,
            our_reference=call.our_reference,
        )
        if allowed.outcome is not Outcome.DONE:
            return _not_allowed(allowed)
        made = transfers.create_transfer(
            access_token=token,
            account_id=account.vendor_reference,
            authorization=allowed.reference,
            description=_DESCRIPTION,
            our_reference=call.our_reference,
        )
        return _read(made, call)

    def get(self, call: Call) -> Answer[None]:
        """Ask after the transfer."""
        if call.vendor_reference:
            answer = transfers.get_transfer(transfer=call.vendor_reference, our_reference=call.our_reference)
        else:
            answer = transfers.find_transfer(our_reference=call.our_reference, since=call.since)
        return _read(answer, call)

    def refund(self, call: Call) -> Answer[None]:
        """Say no: what came from a bank account goes back as a payout. `refundable` keeps callers away."""
        del call
        return Answer(Outcome.REFUSED, code="not_refundable")

    def get_refund(self, call: Call) -> Answer[None]:
        """Say that there is none."""
        del call
        return Answer(Outcome.NOT_SENT, code="not_found")

    def events(self, *, after: int) -> Answer[tuple[tuple[int, str, str, datetime], ...]]:
        """Return what happened to transfers after an event: (its number, transfer, what, when), oldest first."""
        answer = transfers.sync_events(after_id=after)
        rows = tuple((one.id, one.transfer, one.kind, one.at) for one in answer.value or ())
        return Answer(answer.outcome, code=answer.code, value=rows)

    def reference_of(self, transfer: str) -> str:
        """Return our reference of a transfer, '' if it is none of ours or cannot be asked after now."""
        found = transfers.get_transfer(transfer=transfer).value
        return found.our_reference if found else ""


def _not_allowed(answer: Answer[Authorization]) -> Answer[None]:
    if answer.outcome is Outcome.REFUSED:
        code = answer.code or "declined"
        return Answer(Outcome.REFUSED, code=code, request_id=answer.request_id, alarm=answer.alarm)
    if answer.outcome is Outcome.ACCEPTED:
        return Answer(Outcome.REFUSED, code="login_required", request_id=answer.request_id)
    # An authorisation moves nothing, and asking again under the same key gives the same one.
    return Answer(Outcome.NOT_SENT, code=answer.code, request_id=answer.request_id, alarm=answer.alarm)


def _read(answer: Answer[Transfer], call: Call) -> Answer[None]:
    transfer = answer.value
    odd = ""
    if transfer is not None and transfer.our_reference != call.our_reference:
        odd = "not_ours"
    elif transfer is not None and (transfer.amount, transfer.direction) != (call.amount, _DEBIT):
        odd = "amount_differs"
    return Answer(
        Outcome.UNKNOWN if odd else answer.outcome,
        answer.reference,
        odd or answer.code.lower(),
        request_id=answer.request_id,
        alarm=bool(odd) or answer.alarm,
    )


OUTSIDE_RAILS.register("plaid_transfer")(PlaidTransferRail())
