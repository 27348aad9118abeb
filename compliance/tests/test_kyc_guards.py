"""Identity files against raw SQL and against each other: the database is the last judge."""

import pytest
from django.db import IntegrityError, connection, transaction

from compliance.errors_kyc import KycAlreadyDecided
from compliance.models.kyc import KycApplication, KycDecision, RiskModelVersion
from compliance.models.screening import ListVersion
from compliance.operations.kyc import submit_kyc
from compliance.operations.kyc_decisions import decide_kyc
from compliance.tests.kyc_factories import hand_in, make_applicant, make_form
from flowlet.audit.trail import Actor, acting
from wallets.tests.factories import at_once

pytestmark = pytest.mark.django_db


def approve(application, now, **more):
    values = {"outcome": "APPROVED", "reason_code": "DOCUMENT_AGREES", **more}
    return decide_kyc(application_id=application.public_id, now=now, **values)


@pytest.fixture
def waiting(live_list, partner, now):
    return hand_in(partner, now=now, tier="PLUS")


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
