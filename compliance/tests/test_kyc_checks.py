"""What the checks, the lists and the risk model find in an identity file, and what follows."""

from datetime import date, timedelta

import pytest

from compliance import queries_kyc
from compliance.errors_kyc import (
    CheckCannotRun,
    KycAlreadyDecided,
    KycNotDecidable,
)
from compliance.identity_providers.registry import PROVIDERS
from compliance.models.kyc import (
    IdentityCheck,
    KycApplication,
    RiskAssessment,
)
from compliance.models.screening import ScreeningHit
from compliance.operations.kyc import add_document, submit_kyc
from compliance.operations.kyc_checks import check_due, run_checks_again
from compliance.operations.kyc_decisions import decide_kyc
from compliance.operations.screening import decide_hit
from compliance.tests.kyc_factories import hand_in, make_applicant, make_form
from flowlet.demo.specimens import draw_identity

pytestmark = pytest.mark.django_db


def statuses(application):
    return {check.code: check.status for check in queries_kyc.checks_of(application)}


def found(application):
    return {code for code, status in statuses(application).items() if status != "PASSED"}


def approve(application, now, **more):
    values = {"outcome": "APPROVED", "reason_code": "DOCUMENT_AGREES", **more}
    return decide_kyc(application_id=application.public_id, now=now, **values)


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
