"""The pages of cases, alerts and scenarios: what is shown, to whom, and that others find no trace."""

import re
from datetime import datetime

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from compliance.admin_cases import queue_href
from compliance.models.cases import Case
from compliance.models.monitoring import Alert, ScenarioVersion
from compliance.operations.cases_deciding import case_href
from compliance.operations.monitoring import open_alert
from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.models import Customer, Partner, User
from flowlet.identity.operations import create_user
from wallets.tests.factories import make_customer

_PASSWORD = "correct-horse-battery"


def test_the_pages_show_what_was_found_in_words(case: Case, officer: User) -> None:
    desk = log_in(officer)
    alert, version = Alert.objects.get(), ScenarioVersion.objects.get(scenario="structuring")

    queue = _page(desk, queue_href())
    page = _page(desk, case_href(case.public_id))
    alert_page = _page(desk, f"/admin/alerts/{alert.public_id}/")
    scenario_page = _page(desk, f"/admin/scenarios/{version.public_id}/")

    for shown in ("Mirela Sandvik", "Structuring below the reporting limit", "High", "Nobody"):
        assert shown in queue
    for shown in ("3 cash deposits between 1 Jun 2026", "Cash deposit", "Take…", "Add note…", "Opened"):
        assert shown in page
    assert "Propose decision…" not in page
    assert "9,000.02" in alert_page
    for shown in ("10,000.00 USD", "70 percent", "The reporting limit for cash", "Propose change…"):
        assert shown in scenario_page
    assert "Open cases" in _page(desk, "/admin/")
    assert "Structuring" in _page(desk, f"/admin/customers/{case.customer.public_id}/?tab=Screening")


def test_a_change_of_parameters_is_proposed_on_the_page_and_bounded_there(officer: User) -> None:
    desk, version = log_in(officer), ScenarioVersion.objects.get(scenario="structuring")
    href = f"/admin/do/scenario.propose_structuring/{version.public_id}/"
    hidden = dict(re.findall(r'name="(form_id|version)" value="([^"]+)"', _page(desk, href)))
    words = {"reason": "MISSED_PATTERN", "note": "Two a week are odd already."}

    beyond = desk.post(href, {**hidden, **words, "count_min": "1"})
    within = desk.post(href, {**hidden, **words, "count_min": "2"})

    draft = ScenarioVersion.objects.get(status="DRAFT")
    assert (beyond.status_code, within.status_code) == (400, 303)
    assert draft.parameters == {**version.parameters, "count_min": 2}
    assert draft.approval is not None
    assert draft.approval.payload == {"count_min": 2}
    assert "count min: 3 → 2" in draft.approval.evidence["parameters"]


def _page(client: Client, href: str) -> str:
    answer = client.get(href)
    assert answer.status_code == 200, href
    return str(answer.content.decode())


def test_lists_stay_within_twelve_queries(
    customer: Customer,
    partner: Partner,
    officer: User,
    now: datetime,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(12):
        person = make_customer(partner, f"Person Number{number}")
        open_alert(customer_id=person.pk, source="fraud", source_key=str(number), reason="Odd.", now=now)
    desk = log_in(officer)
    _page(desk, "/admin/")

    for path in ("/admin/cases/", "/admin/alerts/", "/admin/scenarios/"):
        with django_assert_max_num_queries(12):
            _page(desk, path)
    with django_assert_max_num_queries(25):
        _page(desk, case_href(Case.objects.order_by("pk")[0].public_id))
    del customer


@pytest.mark.parametrize("role", ["support", "ops", "finance", "analyst"])
def test_people_without_the_right_find_no_trace_of_a_case(case: Case, role: str) -> None:
    person = create_user(email="tom@house.example", full_name="Tom Hale", password=_PASSWORD, roles=[role])
    desk = log_in(person)
    alert = Alert.objects.get()

    for href in (
        "/admin/cases/",
        case_href(case.public_id),
        "/admin/alerts/",
        f"/admin/alerts/{alert.public_id}/",
        "/admin/scenarios/",
    ):
        assert desk.get(href).status_code == 403, href
    for href in (
        "/admin/",
        *(
            f"/admin/customers/{case.customer.public_id}/?tab={tab}"
            for tab in ("Overview", "Screening", "Time+line")
        ),
        "/admin/search/?q=Mirela",
    ):
        text = desk.get(href).content.decode()
        for word in ("Structuring", "structuring", "cas_", "alr_", "Cases", "Alerts"):
            assert word not in text, (href, word)
