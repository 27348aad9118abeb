"""Fixtures for screening: the sample list, live, and the real list where a checkout has it beside it."""

import os
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from compliance.models.cases import Case
from compliance.models.screening import ListVersion
from compliance.models.wall import SuspiciousActivityReport
from compliance.operations import reports
from compliance.operations.cases import take_case
from compliance.operations.cases_deciding import propose_decision
from compliance.operations.lists import load_list
from compliance.operations.monitoring import run_scenarios
from compliance.operations.monitoring_feed import feed_activities
from compliance.tests.reporting import say
from compliance.tests.watching import at, cash_in
from flowlet.identity import operations as identity
from flowlet.identity.models import Customer, Partner, User
from wallets.tests.factories import make_wallet

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "compliance" / "data" / "ofac-sample"
SHARED = Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data")
FILES = ("sdn", "alt", "add")

# The whole OFAC list and the labelled names are not part of the project; without them there is nothing to collect.
collect_ignore = [] if (SHARED / "sanctions").is_dir() else ["test_full_list.py"]


def pytest_report_header() -> str:
    """Say in the report's head whether the tests on real data take part, and why not."""
    state = "found" if not collect_ignore else "absent, test_full_list.py is not collected"
    return f"screening data beside the project: {state}"


def sample() -> dict[str, bytes]:
    """Return the sample's files."""
    return {name: (SAMPLE / f"{name}.csv").read_bytes() for name in FILES}


def without(files: Mapping[str, bytes], *uids: str) -> dict[str, bytes]:
    """Return the files without some entities, as the next delivery would leave them out."""
    starts = tuple(f"{uid},".encode() for uid in uids)
    return {
        name: b"\r\n".join(line for line in content.split(b"\r\n") if not line.startswith(starts))
        for name, content in files.items()
    }


@pytest.fixture
def blocking(settings: Settings) -> None:
    """Stop money out of customers who could not be screened, as production does."""
    settings.SCREENING_BLOCKS_UNSCREENED = True


@pytest.fixture
def live_list(db: None, now: datetime, blocking: None) -> ListVersion:
    version, _ = load_list(code="ofac-sdn", files=sample(), now=now)
    return version


@pytest.fixture
def new_customer(partner: Partner, now: datetime) -> Callable[..., Customer]:
    """Make a person or, with `legal_name`, a business."""

    def make(given_name: str = "", family_name: str = "", **more: Any) -> Customer:
        kind = "BUSINESS" if "legal_name" in more else "PERSON"
        more.setdefault("country", "NL")
        return identity.create_customer(
            partner_id=partner.pk, kind=kind, given_name=given_name, family_name=family_name, now=now, **more
        )

    return make


@pytest.fixture
def suspect(live_list: ListVersion, new_customer: Callable[..., Customer]) -> Customer:
    """A customer with the name and birth year of a listed person (OFAC 32391)."""
    return new_customer("Ousmane Illiassou", "Djibo", birth_date=date(1984, 5, 2), nationality="NE")


@pytest.fixture
def case(customer: Customer, now: datetime) -> Case:
    """A case with an alert of structuring on three deposits."""
    wallet = make_wallet(customer, "USD")
    for n in range(3):
        cash_in(wallet, 900_000 + n, at(n), f"c{n}")
    feed_activities()
    run_scenarios(now=now)
    return Case.objects.get()


@pytest.fixture
def confirmed_case(case: Case, officer: User, lead: User, now: datetime) -> Case:
    """The case after two people confirmed it."""
    take_case(case_id=case.public_id, user_id=officer.pk, now=now)
    proposed = propose_decision(
        case_id=case.public_id,
        user_id=officer.pk,
        outcome="CONFIRMED",
        reason_code="PATTERN_UNEXPLAINED",
        note="No source shown.",
        now=now,
    )
    assert proposed.approval is not None
    say(proposed.approval, lead, now)
    case.refresh_from_db()
    return case


@pytest.fixture
def draft(confirmed_case: Case, officer: User, now: datetime) -> SuspiciousActivityReport:
    """The draft of a report on the confirmed case."""
    return reports.draft_report(case_id=confirmed_case.public_id, user_id=officer.pk, now=now)
