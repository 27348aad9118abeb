"""
One story through every room: onboarding, identity, money in from outside, a payment, a card that is frozen, cash that looks
like structuring, a case that two people close, a report that two people approve, and finance's statement. The books are
proved after each step. Who sits at the desks is up to the test: the forms alone, or people in a browser.
"""

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Protocol

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from cards.models.issuing import Card
from compliance import tasks as compliance_tasks
from compliance.models.cases import Case
from compliance.models.kyc import KycApplication
from compliance.models.wall import Filing, SuspiciousActivityReport
from compliance.reports.checking import check_file
from compliance.tests.kyc_factories import make_form
from flowlet.backoffice.models import Approval
from flowlet.core import clock
from flowlet.demo.specimens import draw_identity, draw_letter
from flowlet.events.tasks import relay_events
from flowlet.gateway.tests.factories import Api, bearer
from payments.outside.working import send_due

SAMPLE = Path(__file__).parents[2] / "compliance" / "data" / "ofac-sample"
DONE = 201


class Desk(Protocol):
    """A member of staff at the back office."""

    def look(self, href: str) -> str:
        """Open a page and return its HTML."""

    def press(self, act: str, object_id: str, *, reason: str = "", note: str = "") -> None:
        """Press a button, fill in its form and send it."""

    def sees_picture(self, href: str) -> bool:
        """Tell whether the picture of a document stands on the page."""

    def statement(self, wallet: str) -> str:
        """Take this month's statement of a wallet as CSV."""


def load_watchlist() -> None:
    """Load the sample list: without one nobody could send money."""
    files = {name: SAMPLE / f"{name}.csv" for name in ("sdn", "alt", "add")}
    call_command("load_watchlist", "ofac-sdn", **files, stdout=StringIO(), stderr=StringIO())


def books_are_true() -> None:
    call_command("verify_ledger", stdout=StringIO(), stderr=StringIO())


def made(answer: object) -> str:
    assert answer.status_code == DONE, answer.content  # type: ignore[attr-defined]
    return answer.json()["id"]  # type: ignore[attr-defined,no-any-return]


def take_on(program: Api) -> str:
    """The partner tells who the customer is and sends the documents; an officer will have to look."""
    form = make_form(document_type="ID_CARD")
    customer = made(
        program.post(
            "customers",
            {
                "kind": "person",
                "given_name": form.given_name,
                "family_name": form.family_name,
                "birth_date": "1990-05-17",
                "country": "NO",
                "nationality": "NO",
            },
            key="customer",
        )
    )
    told = {**form.stored(), "document_type": "id_card", "tier": "plus"}
    made(program.post(f"customers/{customer}/kyc", told, key="kyc"))
    front, back = draw_identity(form, seed="a")
    letter = draw_letter(form, seed="l", on=clock.now().date())
    for purpose, side in (("identity_front", front), ("identity_back", back), ("proof_of_address", letter)):
        parts = {"purpose": purpose, "file": SimpleUploadedFile(f"{purpose}.jpg", side.jpeg)}
        if getattr(side, "zone", ""):
            parts["mrz"] = side.zone
        answer = program.http.post(
            f"/api/v1/customers/{customer}/documents",
            parts,
            headers={**bearer(program.client), "Idempotency-Key": purpose},
        )
        assert answer.status_code == DONE, answer.content
    return customer


def play(program: Api, desks: Mapping[str, Desk]) -> None:
    """Play the story; `desks` holds officer, lead, ops and finance."""
    # The partner takes a customer on; an officer sees the picture beside the data and approves.
    customer = take_on(program)
    application = KycApplication.objects.get()
    assert application.state == "IN_REVIEW"
    assert desks["officer"].sees_picture(f"/admin/identities/{application.public_id}/")
    desks["officer"].press(
        "kyc.approve",
        application.public_id,
        reason="DOCUMENT_AGREES",
        note="Compared by eye.",
    )
    assert program.get(f"customers/{customer}").json()["tier"] == "plus"

    # Money comes in by card through the simulated processor, and goes to somebody else.
    wallet = made(program.post("wallets", {"customer": customer, "currency": "EUR"}, key="eur"))
    top_up = made(
        program.post(
            "top_ups",
            {"wallet": wallet, "payment_method": "pm_card_visa", "amount": 50_000, "currency": "EUR"},
            key="top-up",
        )
    )
    send_due(now=clock.now())
    assert program.get(f"payments/{top_up}").json()["status"] == "completed"
    books_are_true()
    other = made(
        program.post(
            "customers",
            {"kind": "person", "given_name": "Jonas", "family_name": "Weidner", "country": "DE"},
            key="other",
        )
    )
    purse = made(program.post("wallets", {"customer": other, "currency": "EUR"}, key="purse"))
    paid = program.post(
        "payments",
        {"payer_wallet": wallet, "payee_wallet": purse, "amount": 2_000, "currency": "EUR"},
        key="pay",
    )
    assert (paid.status_code, paid.json()["status"]) == (DONE, "completed")
    books_are_true()

    use_a_card_that_is_frozen(program, desks["ops"], wallet)
    case = structure_cash(program, customer)
    report_it(desks["officer"], desks["lead"], case)

    # Nobody outside hears of it; finance takes the month's statement.
    said = (
        program.get(f"events?object={customer}").content.decode()
        + program.get(f"customers/{customer}").content.decode()
    )
    assert not re.search(r"cas_|alr_|rpt_|suspicio|structuring", said)
    lines = desks["finance"].statement(wallet)
    assert "20.00" in lines
    books_are_true()
    call_command("verify_audit", stdout=StringIO(), stderr=StringIO())


def use_a_card_that_is_frozen(program: Api, ops: Desk, wallet: str) -> None:
    """A card pays, operations freeze it, and the next payment is declined with its reason."""
    card = made(program.post("cards", {"wallet": wallet, "kind": "virtual"}, key="card"))
    asked = {
        "card": card,
        "amount": 1_250,
        "currency": "EUR",
        "merchant": {"name": "Corner Books", "mcc": "5942", "country": "NO"},
    }
    first = program.post("card_authorizations", {**asked, "network_reference": "n1"}, key="n1")
    assert first.json()["outcome"] == "approved", first.content
    assert program.get(f"wallets/{wallet}/balances").json()["held"] == 1_250
    ops.press("card.freeze", card, reason="SUSPECTED_FRAUD", note="Caller could not be identified.")
    second = program.post("card_authorizations", {**asked, "network_reference": "n2"}, key="n2")
    assert second.json()["outcome"] == "declined"
    assert "card_frozen" in second.content.decode()
    assert Card.objects.get().freezes.count() == 1
    books_are_true()


def structure_cash(program: Api, customer: str) -> Case:
    """Cash just below the limit, three times: beat finds it."""
    dollars = made(program.post("wallets", {"customer": customer, "currency": "USD"}, key="usd"))
    for number in range(3):
        body = {
            "wallet": dollars,
            "method": "cash",
            "location": f"Kiosk {number}",
            "amount": 940_000 + number,
            "currency": "USD",
        }
        made(program.post("deposits", body, key=f"cash-{number}"))
    relay_events()
    compliance_tasks.run()
    case = Case.objects.get(customer__public_id=customer)
    assert "tructuring" in case.title
    return case


def report_it(officer: Desk, lead: Desk, case: Case) -> None:
    """One officer proposes, a second person agrees; the report goes the same way and is valid."""
    officer.press("case.take", case.public_id)
    officer.press(
        "case.propose",
        case.public_id,
        reason="PATTERN_UNEXPLAINED",
        note="Three kiosks in one hour; the customer gave no source.",
    )
    agree(lead, Approval.objects.get(action="compliance.close_case"))
    case.refresh_from_db()
    assert case.state == "CLOSED_CONFIRMED"
    officer.press("case.report", case.public_id)
    report = SuspiciousActivityReport.objects.get()
    officer.press("report.submit", report.public_id, reason="CONFIRMED_CASE", note="Complete.")
    request = Approval.objects.get(action="compliance.approve_report")
    assert "Approve…" not in officer.look(f"/admin/approvals/{request.public_id}/")
    agree(lead, Approval.objects.get(action="compliance.approve_report"))
    officer.press("report.file", report.public_id)
    filing = Filing.objects.get()
    assert check_file(filing.content.encode()) == []
    assert filing.sha256 in officer.look(f"/admin/filings/{filing.public_id}/")


def agree(desk: Desk, approval: Approval) -> None:
    """Read the request as the second person and say yes."""
    assert "Approve…" in desk.look(f"/admin/approvals/{approval.public_id}/")
    desk.press("approval.approve", approval.public_id, note="Read the file.")
    approval.refresh_from_db()
    assert approval.status == "EXECUTED", approval.outcome_text
