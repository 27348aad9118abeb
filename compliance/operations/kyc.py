"""Handing in: an applicant's data and documents, up to the moment they are complete and get checked."""

import hashlib
from datetime import datetime

from django.db import transaction

from compliance import policies_kyc, queries_kyc
from compliance.choices_kyc import TAKES_DATA, DecisionReason, DocumentState, KycState
from compliance.documents import content, rendering
from compliance.documents.form import Form
from compliance.errors_kyc import (
    KycClosed,
    KycNotForBusinesses,
    NoApplication,
    TierTooLow,
    TooManyDocuments,
)
from compliance.models.kyc import DocumentOriginal, DocumentPage, KycApplication, KycDocument
from compliance.operations.kyc_checks import check_application, publish_state
from flowlet.audit import trail
from flowlet.core import crypto, jsons
from flowlet.core.locks import lock
from flowlet.identity.choices import CustomerKind, CustomerStatus
from flowlet.identity.errors import CustomerClosed
from flowlet.identity.models import Customer

ZONE_LENGTH_MAX = 200


@transaction.atomic
def submit_kyc(*, customer_id: int, tier: str, form: Form, now: datetime) -> KycApplication:
    """
    Take an applicant's data: a new application for a tier, or corrected data of one that still takes some.

    A customer may apply for the tier he has: his documents are looked at anew.

    As soon as data and documents are complete the application is handed in and checked, in the same transaction.

    :raises KycNotForBusinesses: for a business
    :raises CustomerClosed: if the relation has ended
    :raises TierTooLow: if the customer has a higher tier
    :raises KycClosed: if the application is being checked or decided
    """
    customer = _locked(customer_id)
    if customer.kind != CustomerKind.PERSON:
        raise KycNotForBusinesses
    if policies_kyc.is_higher(customer.tier, tier):
        raise TierTooLow
    application = queries_kyc.find_open(customer.pk)
    fresh = application is None
    if application is None:
        application = KycApplication(customer=customer, created_at=now)
    elif application.state not in TAKES_DATA:
        raise KycClosed(state=policies_kyc.outside_state(application.state))
    key = queries_kyc.document_key(
        country=form.document_country, kind=form.document_type, number=form.document_number
    )
    application.wanted_tier = tier
    application.form = jsons.dumps_canonical(form.stored()).decode()
    application.document_type, application.document_country = form.document_type, form.document_country
    application.document_index = queries_kyc.document_index(key)
    application.asked = [code for code in application.asked if code != DecisionReason.DATA_DIFFERS]
    application.save()
    _note(application, customer, "kyc.open" if fresh else "kyc.correct", {"tier": [None, tier]})
    return _hand_in_if_complete(application, customer, now)


@transaction.atomic
def add_document(
    *, customer_id: int, purpose: str, data: bytes, now: datetime, zone_lines: str = ""
) -> KycDocument:
    """
    Take a file of the open application: looked at by content, decoded in a process of its own, stored sealed.

    `zone_lines` are the lines of the machine-readable zone as the partner's capture read them. A second file for one
    purpose replaces the first. The last one that was missing hands the application in.

    :raises DocumentRejected: if the file is not what it must be; nothing is stored
    :raises RenderingFailed: if it could not be looked at, for reasons of ours
    :raises NoApplication: if there are no data yet
    :raises KycClosed: if the application is being checked or decided
    :raises TooManyDocuments: if it holds as many as it may
    """
    # Decoding takes its time: nobody else's row is locked while it runs.
    found = content.inspect(data)
    pages = rendering.render(data, found)
    customer = _locked(customer_id)
    application = queries_kyc.find_open(customer.pk)
    if application is None:
        raise NoApplication
    if application.state not in TAKES_DATA:
        raise KycClosed(state=policies_kyc.outside_state(application.state))
    if queries_kyc.list_documents(application.pk).count() >= policies_kyc.DOCUMENTS_MAX:
        raise TooManyDocuments(limit=policies_kyc.DOCUMENTS_MAX)
    _replace(application, purpose)
    document = KycDocument.objects.create(
        application=application,
        customer=customer,
        purpose=purpose,
        media_type=found.media_type,
        size=found.size,
        sha256=hashlib.sha256(data).hexdigest(),
        picture_hash=rendering.signed(pages[0].picture_hash),
        width=found.width or pages[0].width,
        height=found.height or pages[0].height,
        page_count=len(pages),
        mrz=zone_lines.strip() or None,
        uploaded_by=trail.current_actor().label or trail.current_actor().ref,
        uploaded_at=now,
    )
    _store(document, data, pages)
    _note(application, customer, "kyc.add_document", {"document": [None, document.public_id]})
    _hand_in_if_complete(application, customer, now)
    return document


def _locked(customer_id: int) -> Customer:
    """Everybody who changes an application holds its customer first; the application itself needs no lock then."""
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    if customer.status == CustomerStatus.CLOSED:
        raise CustomerClosed
    return customer


def _replace(application: KycApplication, purpose: str) -> None:
    earlier = queries_kyc.live_documents(application.pk).filter(purpose=purpose)
    for row in earlier:
        row.state = DocumentState.REPLACED
        row.save(update_fields=["state"])


def _store(document: KycDocument, data: bytes, pages: list[rendering.Page]) -> None:
    keys = crypto.ring(queries_kyc.FIELD_KEYS)
    DocumentOriginal.objects.create(
        document=document,
        sealed=crypto.seal(data, place=queries_kyc.original_place(document), keys=keys),
    )
    DocumentPage.objects.bulk_create(
        [
            DocumentPage(
                document=document,
                number=number,
                width=page.width,
                height=page.height,
                sealed=crypto.seal(page.jpeg, place=queries_kyc.page_place(document, number), keys=keys),
            )
            for number, page in enumerate(pages, 1)
        ]
    )


def missing_of(application: KycApplication) -> list[str]:
    """Return what must still come before the application can be handed in."""
    there = set(queries_kyc.live_documents(application.pk).values_list("purpose", flat=True))
    return policies_kyc.missing_items(
        document_type=application.document_type,
        tier=application.wanted_tier,
        asked=application.asked,
        there=there,
    )


def _hand_in_if_complete(application: KycApplication, customer: Customer, now: datetime) -> KycApplication:
    if missing_of(application):
        return application
    application.state = KycState.SUBMITTED
    application.submission += 1
    application.submitted_at, application.due_at = now, policies_kyc.due_at(now)
    application.asked = []
    application.save(update_fields=["state", "submission", "submitted_at", "due_at", "asked"])
    _note(application, customer, "kyc.submit", {"submission": [None, application.submission]})
    publish_state(application, customer, now)
    return check_application(application=application, customer=customer, now=now)


def _note(
    application: KycApplication, customer: Customer, action: str, changes: dict[str, list[object]]
) -> None:
    trail.record(
        action=action,
        object_type="kyc",
        object_id=application.public_id,
        partner_id=customer.partner_id,
        customer=customer.public_id,
        changes=changes,
    )
