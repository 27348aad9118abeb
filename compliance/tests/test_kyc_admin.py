"""The page that decides an identity file, as the people see it who use it."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from compliance.admin_kyc import kyc_href, queue_href
from compliance.models.kyc import KycApplication, KycDecision, KycDocument
from compliance.tests.kyc_factories import hand_in
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.operations import create_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(live_list, partner, now):
    return hand_in(partner, now=now, tier="PLUS", document_type="ID_CARD")


@pytest.fixture
def desk(officer):
    return log_in(officer)


def text(browser, href):
    answer = browser.get(href)
    assert answer.status_code == 200
    return answer.content.decode()


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="(form_id|version)" value="([^"]+)"', page))


def pictures(page):
    return re.findall(r'<img class="sheet-picture" src="([^"]+)"', page)


def press(browser, waiting, verb, **values):
    href = f"/admin/do/kyc.{verb}/{waiting.public_id}/"
    return browser.post(href, {**hidden(text(browser, href)), **values})


def test_the_queue_shows_what_waits_and_why(desk, waiting):
    page = text(desk, queue_href())

    for shown in ("Mirela Sandvik", "Identity card, Norway", "Proof of address", "To be decided"):
        assert shown in page


def test_the_page_shows_the_picture_beside_the_data_with_checks_and_points(desk, waiting):
    page = text(desk, kyc_href(waiting))

    assert len(pictures(page)) == 1
    for shown in (
        "SANDVIK",
        "17 May 1990",
        "C1234567",
        "Storgata 12, 0155 Oslo, Norway",
        "Check digits",
        "Compare the address by eye.",
        "Tier applied for",
        "Full size",
        'src="/static/flowlet/js/viewer.js"',
    ):
        assert shown in page
    assert "style=" not in page
    assert "onclick" not in page


def test_the_picture_is_encoded_anew_never_kept_and_every_look_is_noted(desk, waiting, officer):
    href = pictures(text(desk, kyc_href(waiting)))[0]

    answers = [desk.get(href), desk.get(href)]

    assert {one["Content-Type"] for one in answers} == {"image/jpeg"}
    assert all("no-store" in one["Cache-Control"] for one in answers)
    assert "sandbox" in answers[0]["Content-Security-Policy"]
    assert answers[0].content.startswith(b"\xff\xd8")
    looks = AuditRecord.objects.filter(action="document.viewed", customer=waiting.customer.public_id)
    assert [look.actor for look in looks] == [officer.public_id] * 2


def test_the_original_is_a_download_and_noted(desk, waiting):
    page = text(desk, kyc_href(waiting))
    href = re.search(r'<a href="([^"]+/original/)" download>', page)[1]

    answer = desk.get(href)

    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert AuditRecord.objects.filter(action="document.downloaded").count() == 1


def test_a_document_can_be_chosen_without_a_script(desk, waiting):
    back = KycDocument.objects.get(purpose="IDENTITY_BACK")

    page = text(desk, f"{kyc_href(waiting)}?document={back.public_id}")

    assert back.public_id in pictures(page)[0]


@pytest.mark.parametrize("who", ["ops", "finance", "auditor"])
def test_who_has_no_business_here_sees_neither_file_nor_picture(request, waiting, who):
    browser = log_in(request.getfixturevalue(who))
    document = KycDocument.objects.first()

    for href in (queue_href(), kyc_href(waiting), f"{kyc_href(waiting)}documents/{document.public_id}/1/"):
        assert browser.get(href).status_code == 403
    assert not AuditRecord.objects.filter(action="document.viewed").exists()


def test_a_page_of_another_file_or_none_looks_like_nothing(desk, waiting, live_list, partner, now):
    other = hand_in(partner, now=now, document_number="X7654321", document_expiry=now.date())
    document, own = KycDocument.objects.filter(application=other).first(), KycDocument.objects.first()

    for path in (
        f"documents/{document.public_id}/1/",
        f"documents/{own.public_id}/2/",
        f"documents/{own.public_id}/0/",
        "documents/doc_none/1/",
        "documents/doc_none/original/",
    ):
        assert desk.get(f"{kyc_href(waiting)}{path}").status_code == 404
    assert Client().get(f"{kyc_href(waiting)}documents/{own.public_id}/1/").status_code == 302


def test_approving_takes_one_form_on_the_page_and_opens_the_next_file(desk, waiting, live_list, partner, now):
    following = hand_in(
        partner, now=now + timedelta(hours=1), document_number="X7", document_expiry=now.date()
    )
    page = text(desk, kyc_href(waiting))
    action = re.search(r'<form method="post" action="([^"]+kyc.approve/[^"]+)"', page)[1]

    answer = desk.post(action, {**hidden(page), "reason": "DOCUMENT_AGREES"}, follow=True)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.customer.tier) == ("APPROVED", "PLUS")
    assert answer.redirect_chain[-1][0] == kyc_href(following)
    assert "Approved: Mirela Sandvik has the plus tier." in answer.content.decode()


def test_a_double_click_decides_once(desk, waiting):
    page = text(desk, kyc_href(waiting))
    form = {**hidden(page), "reason": "DOCUMENT_AGREES"}

    answers = [desk.post(f"/admin/do/kyc.approve/{waiting.public_id}/", form) for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert KycDecision.objects.count() == 1


def test_the_second_officer_is_told_who_was_quicker(desk, waiting, second_officer):
    other = log_in(second_officer)
    page = text(other, kyc_href(waiting))
    press(desk, waiting, "ask", reason="PICTURE_UNREADABLE")

    answer = other.post(
        f"/admin/do/kyc.approve/{waiting.public_id}/", {**hidden(page), "reason": "DOCUMENT_AGREES"}
    )

    assert answer.status_code == 409
    assert "Ilse Marten was here" in answer.content.decode()
    assert KycDecision.objects.get().outcome == "INFORMATION_NEEDED"


def test_refusing_needs_words_and_keeps_them(desk, waiting):
    bare = press(desk, waiting, "reject", reason="FORGED")
    press(desk, waiting, "reject", reason="FORGED", note="The portrait was replaced.")

    page = text(desk, kyc_href(waiting))
    assert bare.status_code == 400
    assert "The portrait was replaced." in page
    assert "This file is closed." in page


def test_high_risk_is_approved_by_a_lead_only(live_list, partner, now, desk, second_officer):
    risky = hand_in(partner, now=now, politically_exposed=True)
    lead = log_in(second_officer)

    assert "a lead must approve this" in text(desk, kyc_href(risky))
    assert desk.get(f"/admin/do/kyc.approve_high/{risky.public_id}/").status_code == 403
    press(lead, risky, "approve_high", reason="ENHANCED_CHECK_DONE", note="Source of funds seen.")
    risky.refresh_from_db()
    assert risky.state == "APPROVED"


def test_checks_run_again_by_a_button(partner, now, desk, request):
    stuck = hand_in(partner, now=now)
    assert "A check could not run" in text(desk, kyc_href(stuck))
    request.getfixturevalue("live_list")

    press(desk, stuck, "check")

    stuck.refresh_from_db()
    assert stuck.state == "AUTO_APPROVED"


def test_today_the_customer_page_and_the_search_know_of_the_file(desk, waiting):
    today = text(desk, "/admin/")
    customer = text(desk, f"/admin/customers/{waiting.customer.public_id}/?tab=Identity")
    found = text(desk, f"/admin/search/?q={waiting.public_id}")

    assert f'href="{queue_href()}"' in today
    assert "Identity files" in today
    assert waiting.public_id in customer
    assert kyc_href(waiting) in found


def test_list_and_page_stay_within_their_queries(
    live_list, partner, now, desk, django_assert_max_num_queries
):
    for number in range(4):
        hand_in(partner, now=now, document_number=f"N{number}", document_expiry=now.date(), seed=f"s{number}")
    application = KycApplication.objects.first()
    text(desk, kyc_href(application))

    with django_assert_max_num_queries(12):
        text(desk, queue_href())
    with django_assert_max_num_queries(18):
        text(desk, kyc_href(application))


def test_support_reads_customers_but_no_identity_file(waiting):
    person = create_user(
        email="tom@house.example", full_name="Tom Hale", password="correct-horse-battery", roles=["support"]
    )
    browser = log_in(person)

    page = text(browser, f"/admin/customers/{waiting.customer.public_id}/")

    assert waiting.public_id not in page
    assert browser.get(kyc_href(waiting)).status_code == 403
