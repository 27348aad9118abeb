"""The smallest valid identity file: a form, drawn specimens, a customer handed in by the operations."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from compliance.documents.form import Form
from compliance.models.kyc import KycApplication
from compliance.operations.kyc import add_document, submit_kyc
from flowlet.demo.specimens import draw_identity, draw_letter
from flowlet.identity.models import Customer, Partner
from flowlet.identity.operations import create_customer

LONG_AGO = timedelta(days=200)
_sides = lru_cache(maxsize=64)(draw_identity)


def make_form(**more: Any) -> Form:
    """Return Mirela Sandvik's form; name what matters."""
    values = {
        "given_name": "Mirela",
        "family_name": "Sandvik",
        "birth_date": date(1990, 5, 17),
        "nationality": "NO",
        "residence": "NO",
        "address": "Storgata 12",
        "city": "Oslo",
        "postal_code": "0155",
        "document_type": "PASSPORT",
        "document_country": "NO",
        "document_number": "C1234567",
        "document_expiry": date(2031, 3, 1),
    }
    return Form(**{**values, **more})


def make_applicant(partner: Partner, form: Form, *, now: datetime, **more: Any) -> Customer:
    """Take on the person of a form, long enough ago not to be new."""
    values = {"birth_date": form.birth_date, "nationality": form.nationality, **more}
    return create_customer(
        partner_id=partner.pk,
        kind="PERSON",
        given_name=form.given_name,
        family_name=form.family_name,
        country=form.residence,
        now=now - LONG_AGO,
        **values,
    )


def upload(customer: Customer, form: Form, *, now: datetime, seed: str = "") -> None:
    """Send the pictures of a form's document, and a letter where the tier needs one."""
    sides = _sides(form, seed=seed or form.document_number)
    purposes = ("IDENTITY_FRONT", "IDENTITY_BACK")
    for purpose, side in zip(purposes, sides, strict=False):
        add_document(customer_id=customer.pk, purpose=purpose, data=side.jpeg, zone_lines=side.zone, now=now)


def upload_letter(customer: Customer, form: Form, *, now: datetime) -> None:
    letter = draw_letter(form, seed=form.document_number, on=date(2026, 10, 1))
    add_document(customer_id=customer.pk, purpose="PROOF_OF_ADDRESS", data=letter.jpeg, now=now)


def hand_in(
    partner: Partner,
    *,
    now: datetime,
    tier: str = "STANDARD",
    said: Form | None = None,
    seed: str = "",
    customer: Customer | None = None,
    **more: Any,
) -> KycApplication:
    """
    Hand in a whole application; `more` changes the person, `said` what the form says beside the drawn document.
    """
    form = make_form(**more)
    customer = customer or make_applicant(partner, form, now=now)
    application = submit_kyc(customer_id=customer.pk, tier=tier, form=said or form, now=now)
    upload(customer, form, now=now, seed=seed)
    if tier == "PLUS":
        upload_letter(customer, form, now=now)
    application.refresh_from_db()
    return application
