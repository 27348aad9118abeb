"""Checking what was handed in, rating it, and letting through what policy lets through."""

from dataclasses import asdict
from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from compliance import events, policies_kyc, queries_kyc, risk
from compliance.choices import PENDING_STATUSES, HitStatus, NotScreenedReason, SubjectState
from compliance.choices_kyc import CheckStatus, DecisionReason, DocumentState, KycState, Outcome
from compliance.documents.form import Form
from compliance.errors_kyc import KycAlreadyDecided
from compliance.identity_providers import registry
from compliance.identity_providers.registry import CaseFile, Found
from compliance.models.kyc import (
    DocumentReview,
    IdentityCheck,
    KycApplication,
    KycDecision,
    KycDocument,
    RiskAssessment,
)
from compliance.models.screening import ScreeningHit, ScreeningSubject
from compliance.operations.screening import screen_customer
from flowlet.audit import trail
from flowlet.core.locks import lock
from flowlet.events import outbox
from flowlet.identity.choices import CustomerStatus, RiskLevel
from flowlet.identity.models import Customer

SCREENING = "screening"


def check_application(*, application: KycApplication, customer: Customer, now: datetime) -> KycApplication:
    """
    Run every provider and the screening over an application, rate it, and take the step that policy takes.

    The caller holds the customer's lock. All passed, low risk, no possible match: approved. A check that could not
    run: CHECK_ERROR, tried again by the job. Everything else waits for a person.
    """
    _move(application, KycState.CHECKING)
    application.run += 1
    form = Form.of(application.data)
    found = _findings(application, customer, form, now)
    rating = _rate(application, customer, form, now)
    application.risk_level, application.risk_points = rating.level, rating.points
    application.findings = [
        one.code for _, results in found for one in results if one.status != CheckStatus.PASSED
    ]
    following = policies_kyc.next_state((one.status for _, results in found for one in results), rating.level)
    failed = following == KycState.CHECK_ERROR
    application.next_check_at = policies_kyc.retry_at(now, application.run) if failed else None
    # Never the whole row: the form would be sealed anew, and the database refuses data that change.
    application.save(update_fields=["run", "risk_level", "risk_points", "findings", "next_check_at"])
    trail.record(
        action="kyc.check",
        object_type="kyc",
        object_id=application.public_id,
        partner_id=customer.partner_id,
        customer=customer.public_id,
        changes={"run": [None, application.run], "state": [KycState.CHECKING, following]},
    )
    if following == KycState.AUTO_APPROVED:
        conclude(
            application=application,
            customer=customer,
            outcome=Outcome.AUTO_APPROVED,
            reason_code=DecisionReason.POLICY,
            tier=application.wanted_tier,
            now=now,
        )
    else:
        _move(application, following)
    return application


def _move(application: KycApplication, state: KycState) -> None:
    application.state = state
    application.save(update_fields=["state"])


def _findings(
    application: KycApplication, customer: Customer, form: Form, now: datetime
) -> list[tuple[str, list[Found]]]:
    case = _case(application, customer, form, now)
    found = [(name, registry.run(name, case)) for name in registry.PROVIDERS]
    subject = screen_customer(customer_id=customer.pk, now=now)
    found.append((SCREENING, [_screening(subject, customer)]))
    IdentityCheck.objects.bulk_create(
        [
            IdentityCheck(
                application=application,
                run=application.run,
                provider=name,
                code=one.code,
                status=one.status,
                detail=one.detail,
                checked_at=now,
            )
            for name, results in found
            for one in results
        ]
    )
    return found


def _case(application: KycApplication, customer: Customer, form: Form, now: datetime) -> CaseFile:
    documents = list(queries_kyc.live_documents(application.pk))
    identity = [row for row in documents if row.purpose.startswith("IDENTITY")]
    key = queries_kyc.document_key(
        country=form.document_country, kind=form.document_type, number=form.document_number
    )
    return CaseFile(
        form=form,
        zone_lines=next((row.mrz for row in reversed(identity) if row.mrz), ""),
        customer_given_name=customer.given_name,
        customer_family_name=customer.family_name,
        customer_birth=date.fromisoformat(customer.birth_date) if customer.birth_date else None,
        same_file=queries_kyc.count_same_file(
            customer_id=customer.pk, digests=[row.sha256 for row in documents]
        ),
        near_picture=queries_kyc.count_near_pictures(
            customer_id=customer.pk, hashes=[row.picture_hash for row in identity]
        ),
        same_number=queries_kyc.count_same_number(customer_id=customer.pk, key=key),
        has_proof_of_address=len(identity) < len(documents),
        today=now.date(),
    )


def _screening(subject: ScreeningSubject, customer: Customer) -> Found:
    code = "SCREENING"
    if _has_hit(customer, HitStatus.TRUE_MATCH):
        return Found(code, CheckStatus.FAILED, "A true match with a listed entity.")
    if subject.state == SubjectState.HIT:
        return Found(code, CheckStatus.WARNING, "A possible match waits for a decision.")
    if subject.state == SubjectState.CLEAR:
        return Found(code, CheckStatus.PASSED)
    if subject.not_screened_reason == NotScreenedReason.NO_LIST:
        return Found(code, CheckStatus.ERROR, "No list was in use: nobody could be compared.")
    return Found(code, CheckStatus.WARNING, "The name has nothing to compare; check it by hand.")


def _has_hit(customer: Customer, *statuses: str) -> bool:
    return ScreeningHit.objects.filter(customer=customer, status__in=statuses).exists()


def _rate(application: KycApplication, customer: Customer, form: Form, now: datetime) -> risk.Rating:
    model = queries_kyc.live_model()
    rating = risk.rate(
        risk.RiskFacts(
            residence=form.residence,
            nationality=form.nationality,
            document_country=form.document_country,
            politically_exposed=form.politically_exposed,
            has_open_hit=_has_hit(customer, *PENDING_STATUSES),
            is_true_match=_has_hit(customer, HitStatus.TRUE_MATCH),
            birth_date=form.birth_date,
            relation_days=(now - customer.created_at).days,
            tier=application.wanted_tier,
            today=now.date(),
        ),
        model.parameters,
    )
    RiskAssessment.objects.create(
        customer=customer,
        application=application,
        run=application.run,
        model=model,
        factors=[asdict(factor) for factor in rating.factors],
        points=rating.points,
        level=rating.level,
        assessed_at=now,
    )
    return rating


def conclude(
    *,
    application: KycApplication,
    customer: Customer,
    outcome: str,
    reason_code: str,
    now: datetime,
    tier: str = "",
    note: str = "",
) -> KycDecision:
    """
    Write a decision and let it take effect; the caller has checked it and holds the customer's lock.

    An approval sets the customer's tier and risk level. Partners hear the outside word by `customer.kyc_updated`.
    """
    actor, before = trail.current_actor(), application.state
    decision = KycDecision.objects.create(
        application=application,
        submission=application.submission,
        outcome=outcome,
        reason_code=reason_code,
        note=note.strip() or None,
        tier=tier,
        risk_level=application.risk_level,
        actor_ref="policy" if outcome == Outcome.AUTO_APPROVED else actor.ref,
        actor_label="Policy" if outcome == Outcome.AUTO_APPROVED else actor.label or actor.ref,
        decided_at=now,
    )
    _review_documents(application, decision, outcome, reason_code)
    application.state = KycState(outcome)
    application.asked = [reason_code] if outcome == Outcome.INFORMATION_NEEDED else []
    application.closed_at = None if outcome == Outcome.INFORMATION_NEEDED else now
    application.save(update_fields=["state", "asked", "closed_at"])
    if tier:
        _set_tier(customer, tier, application.risk_level)
    trail.record(
        action="kyc.decide",
        object_type="kyc",
        object_id=application.public_id,
        partner_id=customer.partner_id,
        customer=customer.public_id,
        changes={"state": [before, application.state], "tier": [None, tier or None]},
        reason_code=reason_code,
        note=note,
    )
    publish_state(application, customer, now)
    return decision


def _review_documents(
    application: KycApplication, decision: KycDecision, outcome: str, reason_code: str
) -> None:
    rows = queries_kyc.live_documents(application.pk)
    if outcome == Outcome.INFORMATION_NEEDED:
        rows = rows.filter(purpose__in=policies_kyc.wanted_again(reason_code))
    approved = outcome in (Outcome.APPROVED, Outcome.AUTO_APPROVED)
    state = DocumentState.ACCEPTED if approved else DocumentState.REJECTED
    documents: list[KycDocument] = list(rows)
    for document in documents:
        document.state = state
        document.save(update_fields=["state"])
    DocumentReview.objects.bulk_create(
        [DocumentReview(document=document, decision=decision, state=state) for document in documents]
    )


def _set_tier(customer: Customer, tier: str, level: str) -> None:
    """Raise the tier; a rating that forbids the customer is never overwritten by an approval."""
    changed: dict[str, object] = {"version": F("version") + 1}
    if policies_kyc.is_higher(tier, customer.tier):
        changed["tier"] = tier
    if customer.risk_level != RiskLevel.PROHIBITED:
        changed["risk_level"] = level
    Customer.objects.filter(pk=customer.pk).update(**changed)
    customer.refresh_from_db(fields=["tier", "risk_level", "version"])


def publish_state(application: KycApplication, customer: Customer, now: datetime) -> None:
    """Tell the partner how an application stands, in the few words that partners hear."""
    outbox.publish(
        type=events.KYC_UPDATED,
        object_type="customer",
        object_id=customer.public_id,
        partner_id=customer.partner_id,
        data={
            "id": customer.public_id,
            "application": application.public_id,
            "state": policies_kyc.outside_state(application.state),
            "tier": customer.tier.lower(),
        },
        at=now,
    )


@transaction.atomic
def run_checks_again(*, application_id: str, now: datetime) -> KycApplication:
    """
    Check an application (`kya_…`) once more: after a check could not run, or when something it rests on has changed.

    :raises NotFound: if there is none of that id
    :raises KycAlreadyDecided: if it is not waiting
    """
    customer_id = queries_kyc.get_application(application_id).customer_id
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    application = queries_kyc.get_application(application_id)
    may = policies_kyc.may_follow(application.state, KycState.CHECKING)
    if not may or customer.status == CustomerStatus.CLOSED:
        raise KycAlreadyDecided(state=application.get_state_display().lower(), who="")
    return check_application(application=application, customer=customer, now=now)


def check_due(*, now: datetime, limit: int = 50) -> int:
    """Run the checks that could not run and are due again, and return how many; safe to run twice."""
    due = KycApplication.objects.filter(state=KycState.CHECK_ERROR, next_check_at__lte=now)
    ids = list(due.order_by("next_check_at", "id").values_list("public_id", flat=True)[:limit])
    for public_id in ids:
        try:
            run_checks_again(application_id=public_id, now=now)
        except KycAlreadyDecided:
            continue  # somebody was quicker
    return len(ids)
