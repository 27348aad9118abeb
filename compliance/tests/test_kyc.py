"""Identity files from data to decision: what passes by itself, what waits, who decides, what it changes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from compliance import policies_kyc, queries_kyc
from compliance.choices_kyc import CLOSED_STATES, NEXT_STATES, KycState
from compliance.errors import NoteRequired, ReasonNotForOutcome
from compliance.errors_kyc import (
    CheckCannotRun,
    DocumentRejected,
    KycAlreadyDecided,
    KycClosed,
    KycNotDecidable,
    KycNotForBusinesses,
    NoApplication,
    TierTooLow,
)
from compliance.identity_providers.registry import PROVIDERS
from compliance.models.kyc import (
    DocumentOriginal,
    DocumentPage,
    IdentityCheck,
    KycApplication,
    KycDecision,
    KycDocument,
    RiskAssessment,
    RiskModelVersion,
)
from compliance.models.screening import ListVersion, ScreeningHit
from compliance.operations.kyc import add_document, missing_of, submit_kyc
from compliance.operations.kyc_checks import check_due, run_checks_again
from compliance.operations.kyc_decisions import decide_kyc
from compliance.operations.screening import decide_hit
from compliance.tests.kyc_factories import hand_in, make_applicant, make_form, upload, upload_letter
from flowlet.audit.models import AuditRecord
from flowlet.audit.trail import Actor, acting
from flowlet.demo.specimens import draw_identity
from flowlet.events.models import Event
from flowlet.identity.models import Customer
from wallets.tests.factories import at_once

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


# --- what the checks find ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        ({"family_name": "Sandberg"}, {"ZONE_NAME", "PARTNER_DATA"}),
        ({"given_name": "Marte"}, {"ZONE_NAME", "PARTNER_DATA"}),
        ({"birth_date": date(1990, 5, 18)}, {"ZONE_BIRTH_DATE", "PARTNER_DATA"}),
        ({"document_number": "C1234568"}, {"ZONE_NUMBER"}),
        ({"document_expiry": date(2032, 3, 1)}, {"ZONE_EXPIRY"}),
        ({"document_country": "SE"}, {"ZONE_COUNTRY"}),
    ],
)
def test_a_form_that_differs_from_its_document_waits_for_a_person(live_list, partner, now, wrong, codes):
    application = hand_in(partner, now=now, said=make_form(**wrong))

    assert application.state == "IN_REVIEW"
    assert found(application) == codes == set(application.findings)


def test_an_expired_document_and_a_child_are_found(live_list, partner, now):
    application = hand_in(partner, now=now, document_expiry=date(2026, 11, 1), birth_date=date(2008, 11, 3))

    assert found(application) == {"DOCUMENT_VALID", "AGE"}
    assert application.state == "IN_REVIEW"


@pytest.mark.parametrize("zone", ["", "P<NONSENSE"])
def test_a_document_without_a_zone_is_never_passed_by_the_machine(live_list, partner, now, zone):
    form = make_form()
    customer = make_applicant(partner, form, now=now)
    submit_kyc(customer_id=customer.pk, tier="STANDARD", form=form, now=now)
    side = draw_identity(form, seed="a")[0]
    add_document(customer_id=customer.pk, purpose="IDENTITY_FRONT", data=side.jpeg, zone_lines=zone, now=now)

    application = KycApplication.objects.get()
    assert application.state == "IN_REVIEW"
    assert found(application) == {code for code in statuses(application) if code.startswith("ZONE_")}


def test_a_wrong_check_digit_is_named(live_list, partner, now):
    form = make_form()
    customer = make_applicant(partner, form, now=now)
    submit_kyc(customer_id=customer.pk, tier="STANDARD", form=form, now=now)
    side = draw_identity(form, seed="a")[0]
    upper, lower = side.zone.splitlines()
    zone = f"{upper}\n{lower[:9]}{(int(lower[9]) + 1) % 10}{lower[10:]}"
    add_document(customer_id=customer.pk, purpose="IDENTITY_FRONT", data=side.jpeg, zone_lines=zone, now=now)

    check = IdentityCheck.objects.get(code="ZONE_DIGITS")

    assert (check.status, check.detail) == ("FAILED", "Wrong check digit: document number, whole.")


def test_a_document_of_another_customer_is_found_by_file_picture_and_number_at_every_partner(
    live_list, partner, other_partner, now
):
    hand_in(partner, now=now)

    again = hand_in(other_partner, now=now)

    assert found(again) == {"SAME_FILE", "NEAR_PICTURE", "SAME_NUMBER"}
    assert again.state == "IN_REVIEW"


def test_the_same_number_in_another_writing_is_the_same_document(live_list, partner, other_partner, now):
    hand_in(partner, now=now)

    again = hand_in(other_partner, now=now, seed="else", said=make_form(document_number="c 123-4567"))

    assert "SAME_NUMBER" in found(again)


def test_a_documents_own_customer_is_no_duplicate(live_list, partner, now):
    application = hand_in(partner, now=now, tier="PLUS")
    decide_kyc(
        application_id=application.public_id, outcome="REJECTED", reason_code="FORGED", note="Seams.", now=now
    )

    again = hand_in(partner, now=now, customer=application.customer)

    assert not found(again) & {"SAME_FILE", "NEAR_PICTURE", "SAME_NUMBER"}


# --- a check that cannot run ------------------------------------------------------------------------------------------
def test_without_a_list_nobody_is_approved_and_the_checks_run_again_by_themselves(partner, now):
    application = hand_in(partner, now=now)

    assert (application.state, statuses(application)["SCREENING"]) == ("CHECK_ERROR", "ERROR")
    assert application.next_check_at == now + timedelta(minutes=1)
    assert check_due(now=now) == 0
    assert check_due(now=now + timedelta(minutes=1)) == 1
    application.refresh_from_db()
    assert (application.state, application.run) == ("CHECK_ERROR", 2)
    assert application.next_check_at == now + timedelta(minutes=6)


def test_once_a_check_can_run_again_the_file_goes_on(partner, now, request):
    application = hand_in(partner, now=now)
    request.getfixturevalue("live_list")

    check_due(now=now + timedelta(hours=1))

    application.refresh_from_db()
    assert application.state == "AUTO_APPROVED"


@pytest.mark.parametrize("behaviour", ["silent", "forgetful"])
def test_a_provider_that_does_not_answer_is_an_error_never_a_pass(live_list, partner, now, behaviour):
    class Elsewhere:
        title = "Elsewhere"
        codes = ("LIVENESS", "REGISTER")

        def check(self, _case):
            if behaviour == "silent":
                raise CheckCannotRun("No answer within 5 seconds.")
            return ()

    PROVIDERS.register("elsewhere")(Elsewhere)
    try:
        application = hand_in(partner, now=now)
    finally:
        PROVIDERS._entries.pop("elsewhere")

    assert application.state == "CHECK_ERROR"
    assert {statuses(application)[code] for code in ("LIVENESS", "REGISTER")} == {"ERROR"}


def test_an_officer_cannot_decide_what_could_not_be_checked(partner, now):
    application = hand_in(partner, now=now)

    with pytest.raises(KycAlreadyDecided):
        approve(application, now)


# --- screening and risk -----------------------------------------------------------------------------------------------
LISTED = {
    "given_name": "Ousmane Illiassou",
    "family_name": "Djibo",
    "birth_date": date(1984, 5, 2),
    "nationality": "NE",
}


def test_a_possible_match_stops_the_machine_and_the_officer_until_it_is_decided(live_list, partner, now):
    application = hand_in(partner, now=now, residence="NL", document_country="NL", **LISTED)
    hit = ScreeningHit.objects.get(status="OPEN")

    assert application.state == "IN_REVIEW"
    assert "SCREENING" in application.findings
    with pytest.raises(KycNotDecidable):
        approve(application, now)
    decide_hit(hit_id=hit.public_id, outcome="FALSE_POSITIVE", reason_code="DIFFERENT_PERSON", now=now)
    run_checks_again(application_id=application.public_id, now=now)
    application.refresh_from_db()
    assert "SCREENING" not in application.findings


def test_a_true_match_is_prohibited_and_can_only_be_refused(live_list, partner, now):
    application = hand_in(partner, now=now, residence="NL", document_country="NL", **LISTED)
    hit = ScreeningHit.objects.get(status="OPEN")
    decide_hit(
        hit_id=hit.public_id, outcome="TRUE_MATCH", reason_code="SAME_FACTS", note="Same man.", now=now
    )
    run_checks_again(application_id=application.public_id, now=now)
    application.refresh_from_db()

    assert application.risk_level == "PROHIBITED"
    with pytest.raises(KycNotDecidable):
        approve(application, now, senior=True)
    decide_kyc(
        application_id=application.public_id,
        outcome="REJECTED",
        reason_code="NOT_SUPPORTED",
        note="Listed.",
        now=now,
    )
    application.customer.refresh_from_db()
    assert (application.customer.tier, application.customer.risk_level) == ("BASIC", "PROHIBITED")


@pytest.mark.parametrize(
    ("more", "level", "points"),
    [
        ({}, "LOW", 0),
        ({"residence": "SE"}, "LOW", 5),
        ({"nationality": "VN", "document_country": "VN"}, "MEDIUM", 30),
        ({"nationality": "IR", "document_country": "IR", "residence": "IR"}, "HIGH", 160),
        ({"politically_exposed": True}, "HIGH", 60),
    ],
)
def test_points_are_the_sum_of_their_factors_and_make_the_level(live_list, partner, now, more, level, points):
    hand_in(partner, now=now, **more)

    rating = RiskAssessment.objects.get()

    assert (rating.level, rating.points) == (level, points)
    assert sum(factor["points"] for factor in rating.factors) == points
    assert all(factor["seen"] and factor["title"] for factor in rating.factors)


def test_high_risk_needs_a_senior(live_list, partner, now):
    application = hand_in(partner, now=now, politically_exposed=True)

    with pytest.raises(KycNotDecidable):
        approve(application, now)
    approve(application, now, senior=True)

    application.customer.refresh_from_db()
    assert (application.customer.tier, application.customer.risk_level) == ("STANDARD", "HIGH")


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


# --- the database is the last judge -----------------------------------------------------------------------------------
ATTACKS = [
    "UPDATE compliance_kycapplication SET state = 'APPROVED', closed_at = now()",
    "UPDATE compliance_kycapplication SET state = 'AUTO_APPROVED', closed_at = now()",
    "UPDATE compliance_kycapplication SET state = 'REJECTED', closed_at = now()",
    "UPDATE compliance_kycapplication SET state = 'DRAFT'",
    "UPDATE compliance_kycapplication SET form = form || '\\x00'::bytea",
    "UPDATE compliance_kycapplication SET customer_id = customer_id + 1",
    "UPDATE compliance_kycapplication SET run = 0",
    "DELETE FROM compliance_kycapplication",
    "TRUNCATE compliance_kycapplication CASCADE",
    (
        "INSERT INTO compliance_kycapplication (public_id, customer_id, wanted_tier, state, form, document_type,"
        " document_country, document_index, submission, run, findings, asked, risk_level, risk_points, created_at, closed_at)"
        " SELECT 'kya_x', customer_id, 'PLUS', 'APPROVED', form, document_type, document_country, document_index, 0, 0, '{}',"
        " '{}', '', 0, now(), now() FROM compliance_kycapplication"
    ),
    (
        "INSERT INTO compliance_kycapplication (public_id, customer_id, wanted_tier, state, form, document_type,"
        " document_country, document_index, submission, run, findings, asked, risk_level, risk_points, created_at)"
        " SELECT 'kya_x', customer_id, 'PLUS', 'DRAFT', form, document_type, document_country, document_index, 0, 0, '{}',"
        " '{}', '', 0, now() FROM compliance_kycapplication"
    ),
    "UPDATE compliance_kycdocument SET sha256 = 'x'",
    "UPDATE compliance_kycdocument SET picture_hash = 7",
    "DELETE FROM compliance_kycdocument",
    "UPDATE compliance_documentoriginal SET sealed = '\\x00'",
    "DELETE FROM compliance_documentoriginal",
    "UPDATE compliance_documentpage SET sealed = '\\x00'",
    "DELETE FROM compliance_documentpage",
    "UPDATE compliance_identitycheck SET status = 'PASSED'",
    "DELETE FROM compliance_identitycheck",
    "UPDATE compliance_riskassessment SET level = 'LOW'",
    "UPDATE compliance_riskmodelversion SET parameters = '{}'",
    "DELETE FROM compliance_riskmodelversion",
]


@pytest.mark.parametrize("statement", ATTACKS)
def test_raw_sql_cannot_bend_a_file(waiting, statement):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else TRUNCATE is refused for another reason

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE compliance_kycdecision SET outcome = 'REJECTED', tier = ''",
        "DELETE FROM compliance_kycdecision",
        "UPDATE compliance_documentreview SET state = 'REJECTED'",
        "UPDATE compliance_kycapplication SET state = 'IN_REVIEW', closed_at = NULL",
        "UPDATE compliance_kycapplication SET risk_points = 0",
        (
            "INSERT INTO compliance_kycdecision (public_id, application_id, submission, outcome, reason_code, tier, risk_level,"
            " actor_ref, actor_label, decided_at) SELECT 'kyd_x', application_id, submission, 'REJECTED', 'FORGED', '', 'LOW',"
            " 'usr_x', 'X', now() FROM compliance_kycdecision"
        ),
    ],
)
def test_a_decided_file_stays_decided(waiting, now, statement):
    approve(waiting, now)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_raw_sql_cannot_let_the_machine_approve_what_it_did_not_pass(waiting):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE compliance_kycapplication SET state = 'CHECKING'")
        cursor.execute(
            "INSERT INTO compliance_kycdecision (public_id, application_id, submission, outcome, reason_code, tier,"
            " risk_level, actor_ref, actor_label, decided_at) SELECT 'kyd_x', id, submission, 'AUTO_APPROVED', 'POLICY',"
            " 'PLUS', 'LOW', 'policy', 'Policy', now() FROM compliance_kycapplication"
        )
        cursor.execute("UPDATE compliance_kycapplication SET state = 'AUTO_APPROVED', closed_at = now()")


# --- races ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_of_two_officers_who_decide_at_once_one_wins(live_list, partner, now):
    application = hand_in(partner, now=now, tier="PLUS")
    decisions = [
        {"outcome": "APPROVED", "reason_code": "DOCUMENT_AGREES"},
        {"outcome": "REJECTED", "reason_code": "FORGED", "note": "Seams."},
    ]

    def work(number):
        with acting(Actor("STAFF", f"usr_{number}", f"Officer {number}")):
            return decide_kyc(application_id=application.public_id, now=now, **decisions[number % 2])

    results = at_once(work, 8, workers=8)

    won = [one for one in results if isinstance(one, KycDecision)]
    lost = [one for one in results if isinstance(one, KycAlreadyDecided)]
    assert (len(won), len(lost)) == (1, 7)
    application.refresh_from_db()
    assert application.state == won[0].outcome


@pytest.mark.django_db(transaction=True)
def test_two_first_applications_at_once_make_one(live_list, partner, now):
    form = make_form()
    customer = make_applicant(partner, form, now=now)

    at_once(lambda _n: submit_kyc(customer_id=customer.pk, tier="STANDARD", form=form, now=now), 6, workers=6)

    assert KycApplication.objects.count() == 1
    assert RiskModelVersion.objects.filter(is_live=True).count() == 1
    assert ListVersion.objects.filter(status="LIVE").count() == 1
