"""Identity files from data to decision: what passes by itself, what waits, who decides, what it changes."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from compliance import policies_kyc, queries_kyc
from compliance.choices_kyc import CLOSED_STATES, NEXT_STATES, KycState
from compliance.errors import NoteRequired, ReasonNotForOutcome
from compliance.errors_kyc import (
    DocumentRejected,
    KycAlreadyDecided,
    KycClosed,
    KycNotDecidable,
    KycNotForBusinesses,
    NoApplication,
    TierTooLow,
)
from compliance.models.kyc import (
    DocumentOriginal,
    DocumentPage,
    KycApplication,
    KycDecision,
    KycDocument,
)
from compliance.operations.kyc import add_document, missing_of, submit_kyc
from compliance.operations.kyc_decisions import decide_kyc
from compliance.tests.kyc_factories import hand_in, make_applicant, make_form, upload, upload_letter
from flowlet.audit.models import AuditRecord
from flowlet.demo.specimens import draw_identity
from flowlet.events.models import Event
from flowlet.identity.models import Customer

pytestmark = pytest.mark.django_db
CARD = {"document_type": "ID_CARD"}


def statuses(application):
    return {check.code: check.status for check in queries_kyc.checks_of(application)}


def found(application):
    return {code for code, status in statuses(application).items() if status != "PASSED"}


def approve(application, now, **more):
    values = {"outcome": "APPROVED", "reason_code": "DOCUMENT_AGREES", **more}
    return decide_kyc(application_id=application.public_id, now=now, **values)


# --- by policy --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("more", [{}, CARD])
def test_what_passes_everything_at_low_risk_is_approved_at_once(live_list, partner, now, more):
    application = hand_in(partner, now=now, **more)

    customer = application.customer
    assert (application.state, found(application)) == ("AUTO_APPROVED", set())
    assert (customer.tier, customer.risk_level) == ("STANDARD", "LOW")
    decision = KycDecision.objects.get()
    assert (decision.actor_label, decision.reason_code, decision.tier) == ("Policy", "POLICY", "STANDARD")
    assert set(application.documents.values_list("state", flat=True)) == {"ACCEPTED"}


def test_the_partner_hears_outside_words_only(live_list, partner, now):
    hand_in(partner, now=now)

    told = Event.objects.filter(type="customer.kyc_updated").order_by("id")

    assert [event.data["state"] for event in told] == ["pending", "approved"]
    assert set(told[1].data) == {"id", "application", "state", "tier"}


def test_a_higher_tier_needs_a_proof_of_address_and_a_person(live_list, partner, now):
    application = hand_in(partner, now=now, tier="PLUS")

    assert (application.state, found(application)) == ("IN_REVIEW", {"ADDRESS_PROOF"})


def test_nothing_is_handed_in_before_all_is_there(live_list, partner, now):
    form = make_form(**CARD)
    customer = make_applicant(partner, form, now=now)
    application = submit_kyc(customer_id=customer.pk, tier="PLUS", form=form, now=now)

    assert missing_of(application) == ["IDENTITY_FRONT", "IDENTITY_BACK", "PROOF_OF_ADDRESS"]
    upload(customer, form, now=now)
    assert missing_of(application) == ["PROOF_OF_ADDRESS"]
    assert KycApplication.objects.get().state == "DRAFT"
    upload_letter(customer, form, now=now)
    assert KycApplication.objects.get().state == "IN_REVIEW"


# --- decisions --------------------------------------------------------------------------------------------------------
@pytest.fixture
def waiting(live_list, partner, now):
    return hand_in(partner, now=now, tier="PLUS")


def test_an_approval_gives_the_tier_and_leaves_its_trace(waiting, now, as_officer):
    approve(waiting, now, reason_code="DIFFERENCE_EXPLAINED", note="Moved last week.")

    waiting.refresh_from_db()
    record = AuditRecord.objects.filter(action="kyc.decide").latest("pk")
    assert (waiting.state, waiting.customer.tier) == ("APPROVED", "PLUS")
    assert (record.actor, record.reason_code) == (as_officer.public_id, "DIFFERENCE_EXPLAINED")
    assert Event.objects.filter(type="customer.kyc_updated").latest("id").data["tier"] == "plus"


def test_a_lower_tier_than_asked_can_be_given_never_a_higher(live_list, partner, waiting, now):
    approve(waiting, now, tier="STANDARD")
    waiting.customer.refresh_from_db()
    assert waiting.customer.tier == "STANDARD"

    other = hand_in(partner, now=now, document_number="X7654321", document_expiry=date(2026, 11, 10))
    with pytest.raises(KycNotDecidable):
        approve(other, now, tier="PLUS")


def test_asking_again_names_what_to_send_and_takes_it(waiting, now):
    decide_kyc(
        application_id=waiting.public_id,
        outcome="INFORMATION_NEEDED",
        reason_code="ADDRESS_NOT_PROVEN",
        now=now,
    )
    waiting.refresh_from_db()
    assert (waiting.state, waiting.asked, missing_of(waiting)) == (
        "INFORMATION_NEEDED",
        ["ADDRESS_NOT_PROVEN"],
        ["PROOF_OF_ADDRESS"],
    )

    upload_letter(waiting.customer, make_form(), now=now)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.submission, waiting.run, waiting.asked) == ("IN_REVIEW", 2, 2, [])


def test_data_asked_for_again_can_be_corrected_together_with_the_document(live_list, partner, now):
    application = hand_in(partner, now=now, said=make_form(family_name="Sandvig"))
    customer = application.customer
    decide_kyc(
        application_id=application.public_id,
        outcome="INFORMATION_NEEDED",
        reason_code="DATA_DIFFERS",
        now=now,
    )

    upload(customer, make_form(), now=now)
    application.refresh_from_db()
    assert missing_of(application) == ["DATA"]
    submit_kyc(customer_id=customer.pk, tier="STANDARD", form=make_form(), now=now)

    application.refresh_from_db()
    assert (application.state, found(application)) == ("AUTO_APPROVED", set())


def test_a_second_file_for_one_purpose_takes_the_place_of_the_first(live_list, partner, now):
    form = make_form(**CARD)
    customer = make_applicant(partner, form, now=now)
    submit_kyc(customer_id=customer.pk, tier="STANDARD", form=form, now=now)
    for seed in ("one", "two"):
        side = draw_identity(form, seed=seed)[0]
        add_document(customer_id=customer.pk, purpose="IDENTITY_FRONT", data=side.jpeg, now=now)

    assert list(KycDocument.objects.order_by("pk").values_list("state", flat=True)) == ["REPLACED", "PENDING"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"reason_code": "FORGED"}, ReasonNotForOutcome),
        ({"reason_code": "DIFFERENCE_EXPLAINED"}, NoteRequired),
        ({"outcome": "REJECTED", "reason_code": "FORGED"}, NoteRequired),
    ],
)
def test_a_decision_needs_a_reason_that_fits_and_words_where_it_is_not_plain(waiting, now, more, error):
    with pytest.raises(error):
        approve(waiting, now, **more)


def test_a_closed_file_takes_nothing_more(live_list, partner, now):
    application = hand_in(partner, now=now)

    with pytest.raises(NoApplication):
        upload(application.customer, make_form(), now=now)
    with pytest.raises(KycAlreadyDecided):
        approve(application, now)


def test_a_customer_shows_his_documents_anew_for_his_tier_but_not_for_a_lower(live_list, partner, now):
    customer = hand_in(partner, now=now).customer

    again = hand_in(partner, now=now, customer=customer, seed="newer picture")
    Customer.objects.filter(pk=customer.pk).update(tier="PLUS")

    assert (again.state, KycApplication.objects.count()) == ("AUTO_APPROVED", 2)
    with pytest.raises(TierTooLow):
        submit_kyc(customer_id=customer.pk, tier="STANDARD", form=make_form(), now=now)


def test_a_file_that_waits_takes_no_data_and_no_document(waiting, now):
    with pytest.raises(KycClosed):
        submit_kyc(customer_id=waiting.customer_id, tier="PLUS", form=make_form(), now=now)
    with pytest.raises(KycClosed):
        upload(waiting.customer, make_form(), now=now)


def test_businesses_and_bad_files_are_refused_and_leave_nothing(live_list, new_customer, partner, now):
    business = new_customer(legal_name="Fjord Supplies AS")
    with pytest.raises(KycNotForBusinesses):
        submit_kyc(customer_id=business.pk, tier="STANDARD", form=make_form(), now=now)
    customer = make_applicant(partner, make_form(), now=now)
    submit_kyc(customer_id=customer.pk, tier="STANDARD", form=make_form(), now=now)
    with pytest.raises(DocumentRejected):
        add_document(customer_id=customer.pk, purpose="IDENTITY_FRONT", data=b"<svg/>" * 99, now=now)

    assert not KycDocument.objects.exists()


def test_originals_and_pages_are_sealed_and_bound_to_their_place(live_list, partner, now):
    hand_in(partner, now=now, **CARD)
    front, back = KycDocument.objects.order_by("pk")
    original = draw_identity(make_form(**CARD), seed="C1234567")[0].jpeg

    assert queries_kyc.open_original(front) == original
    for sealed in (
        DocumentOriginal.objects.get(document=front).sealed,
        DocumentPage.objects.get(document=front).sealed,
    ):
        assert b"JFIF" not in bytes(sealed)
    page = queries_kyc.open_page(front, 1)
    assert page.startswith(b"\xff\xd8")
    assert page != queries_kyc.open_page(back, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT form, document_index FROM compliance_kycapplication")
        form, index = cursor.fetchone()
    assert b"Sandvik" not in bytes(form)
    assert b"C1234567" not in bytes(index)


# --- pure policies ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("begins", "due"),
    [
        ("2026-11-02T09:30", "2026-11-03T09:30"),
        ("2026-11-02T03:00", "2026-11-02T17:00"),
        ("2026-11-06T16:00", "2026-11-09T16:00"),
        ("2026-11-07T12:00", "2026-11-09T17:00"),
        ("2026-11-02T20:00", "2026-11-03T17:00"),
    ],
)
def test_a_file_is_due_after_eight_office_hours(begins, due):
    at, until = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begins, due))

    assert policies_kyc.due_at(at) == until


def test_every_state_has_an_outside_word_and_closed_ones_no_way_on():
    assert {policies_kyc.outside_state(state) for state in KycState.values} == {
        "information_needed",
        "pending",
        "approved",
        "not_permitted",
    }
    assert not set(CLOSED_STATES) & set(NEXT_STATES)
