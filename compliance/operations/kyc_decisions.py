"""What officers decide about an application."""

from datetime import datetime

from django.db import transaction

from compliance import policies_kyc, queries_kyc
from compliance.choices import PENDING_STATUSES
from compliance.choices_kyc import KycState, Outcome
from compliance.errors_kyc import KycAlreadyDecided, KycNotDecidable
from compliance.models.kyc import KycApplication, KycDecision
from compliance.models.screening import ScreeningHit
from compliance.operations.kyc_checks import conclude
from flowlet.audit import trail
from flowlet.core.locks import lock
from flowlet.identity.choices import RiskLevel
from flowlet.identity.models import Customer


def decide_kyc(
    *,
    application_id: str,
    outcome: str,
    reason_code: str,
    now: datetime,
    note: str = "",
    tier: str = "",
    senior: bool = False,
) -> KycDecision:
    """
    Store an officer's decision about an application (`kya_…`) and let it take effect.

    APPROVED gives the tier that was applied for, or a lower `tier`; high risk needs a `senior` (the edge has checked
    the permission `compliance.approve_high_risk`). INFORMATION_NEEDED asks the partner for what the reason says.

    :raises NotFound: if there is none of that id
    :raises ReasonNotForOutcome: if the reason does not go with the outcome
    :raises NoteRequired: if words are missing
    :raises KycAlreadyDecided: if somebody was quicker, or it does not wait for a person
    :raises KycNotDecidable: if a hit is open, the customer is listed, the risk needs a senior, or the tier is none
    """
    policies_kyc.check_decision(outcome=outcome, reason_code=reason_code, note=note)
    with transaction.atomic():
        customer_id = queries_kyc.get_application(application_id).customer_id
        # Everybody who changes an application holds its customer first, so what is read below stays true.
        customer = lock(Customer.objects.filter(pk=customer_id)).get()
        application = queries_kyc.get_application(application_id)
        _check_waiting(application)
        if outcome == Outcome.APPROVED:
            tier = tier or application.wanted_tier
            _check_approvable(application, customer, tier, senior=senior)
        return conclude(
            application=application,
            customer=customer,
            outcome=outcome,
            reason_code=reason_code,
            note=note,
            tier=tier if outcome == Outcome.APPROVED else "",
            now=now,
        )


def _check_waiting(application: KycApplication) -> None:
    if application.state == KycState.IN_REVIEW:
        return
    latest = application.decisions.order_by("-id").first()
    who = f" by {latest.actor_label}" if latest is not None else ""
    raise KycAlreadyDecided(state=application.get_state_display().lower(), who=who)


def _check_approvable(application: KycApplication, customer: Customer, tier: str, *, senior: bool) -> None:
    too_low = policies_kyc.is_higher(customer.tier, tier)
    if too_low or policies_kyc.is_higher(tier, application.wanted_tier):
        raise KycNotDecidable(reason="This tier is below the present one, or above the one applied for.")
    if RiskLevel.PROHIBITED in (customer.risk_level, application.risk_level):
        raise KycNotDecidable(reason="The customer may not be served.")
    if ScreeningHit.objects.filter(customer=customer, status__in=PENDING_STATUSES).exists():
        raise KycNotDecidable(reason="A possible match is open: decide it first, then run the checks again.")
    if application.risk_level == RiskLevel.HIGH and not senior:
        raise KycNotDecidable(reason="High risk: a lead must approve this.")


def note_view(*, application: KycApplication, document_id: str, page: int, original: bool = False) -> None:
    """Write down that the acting person saw a page of a document, or took the original."""
    customer = application.customer
    trail.record(
        action="document.downloaded" if original else "document.viewed",
        object_type="document",
        object_id=document_id,
        partner_id=customer.partner_id,
        customer=customer.public_id,
        changes={"page": [None, page]} if not original else None,
    )
