"""A case from the alert to the decision of two people, in the browser; every page by axe, light, dark and narrow."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from compliance.models.cases import Case
from compliance.models.monitoring import Alert, ScenarioVersion
from compliance.operations.monitoring import run_scenarios
from compliance.operations.monitoring_feed import feed_activities
from flowlet.backoffice.models import Approval
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.identity.models import Customer, User
from tests.browser.conftest import Visit
from wallets.operations.bank import deposit_cash
from wallets.tests.factories import make_wallet

Open = Callable[..., Visit]


@pytest.fixture
def case(transactional_db: None, customer: Customer) -> Case:
    """A case on four cash deposits of the latest days."""
    Customer.objects.filter(pk=customer.pk).update(tier="PLUS")
    wallet = make_wallet(customer, "EUR")
    for day in range(4):
        made = deposit_cash(
            wallet_id=wallet.pk,
            location="Agent 17, Bergen",
            amount=Money(870_000 - day * 1_000, "EUR"),
            idempotency_key=None,
            now=clock.now() - timedelta(days=8 - day),
        )
        assert made.status == "COMPLETED", made.refusal_code
    feed_activities()
    run_scenarios(now=clock.now() - timedelta(hours=3))
    return Case.objects.get()


def test_every_page_of_monitoring_is_accessible_in_both_schemes_and_narrow(
    visit: Open, case: Case, officer: User
) -> None:
    window = visit(officer)
    alert, version = Alert.objects.get(), ScenarioVersion.objects.get(scenario="structuring")
    paths = (
        "/admin/cases/",
        f"/admin/cases/{case.public_id}/",
        "/admin/alerts/",
        f"/admin/alerts/{alert.public_id}/",
        "/admin/scenarios/",
        f"/admin/scenarios/{version.public_id}/",
        f"/admin/do/case.take/{case.public_id}/",
        f"/admin/do/scenario.propose_structuring/{version.public_id}/",
    )

    for path in paths:
        window.look()
        window.go(path)
        assert window.axe() == [], path
        window.look(dark=True)
        assert window.axe() == [], f"{path}, dark"
        window.look(width=390, height=844)
        assert not window.scrolls_sideways(), path


def test_an_officer_proposes_and_a_second_person_closes_the_case(
    visit: Open, case: Case, officer: User, second_officer: User
) -> None:
    page = visit(officer, javascript=False).go(f"/admin/cases/{case.public_id}/")

    page.get_by_role("link", name="Take…").click()
    page.get_by_role("button", name="Take").click()
    page.get_by_role("link", name="Propose decision…").click()
    page.get_by_text("Suspicion confirmed: pattern without a lawful explanation").click()
    page.get_by_label("Note").fill("Two agents in a week, no business behind it.")
    page.get_by_role("button", name="Propose decision").click()
    assert page.get_by_role("link", name="Propose decision…").count() == 0

    other = visit(second_officer, javascript=False).go(
        f"/admin/approvals/{Approval.objects.get().public_id}/"
    )
    other.get_by_role("link", name="Approve…").click()
    other.get_by_label("Note").fill("Agreed.")
    other.get_by_role("button", name="Approve").click()

    case.refresh_from_db()
    assert case.state == "CLOSED_CONFIRMED"
    other.goto(f"{page.url.split('/admin')[0]}/admin/cases/{case.public_id}/")
    assert other.get_by_text("Closed: Suspicion confirmed: pattern without a lawful explanation").count() == 1
