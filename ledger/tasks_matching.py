"""Celery entry points of matching, breaks and safeguarding."""

from datetime import timedelta

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from ledger.operations.breaks import age_breaks
from ledger.operations.chargebacks import book_chargebacks
from ledger.operations.matching import match_lines
from ledger.operations.processor_fees import book_processor_fees
from ledger.operations.safeguarding import prove_safeguarding


@shared_task(name="ledger.match_lines")
def match_bank_lines(**_: object) -> int:
    """
    Book what processors kept and took back, then match what is open: postings may have come since.

    Nothing is booked or matched twice.
    """
    with acting(Actor("SYSTEM", "job:ledger.match_lines")):
        book_processor_fees(now=now())
        book_chargebacks(now=now())
        return match_lines(now=now()).matches


@shared_task(name="ledger.age_breaks")
def raise_breaks(**_: object) -> int:
    """Raise a break for each posting that a bank should have shown by now; one that is there is kept."""
    with acting(Actor("SYSTEM", "job:ledger.age_breaks")):
        return age_breaks(now=now())


@shared_task(name="ledger.prove_safeguarding")
def prove_client_money(**_: object) -> int:
    """Prove that what customers were owed yesterday lay at banks; the same standing makes no second proof."""
    with acting(Actor("SYSTEM", "job:ledger.prove_safeguarding")):
        at = now()
        return len(prove_safeguarding(day=(at - timedelta(days=1)).date(), now=at))
