"""Reports to the authority in the demo: on the confirmed case, and on cash above the limit, in several states."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.choices_monitoring import CaseState
from compliance.choices_reports import FilingForm
from compliance.models.cases import Case
from compliance.models.wall import CurrencyTransactionReport, Filing, SuspiciousActivityReport
from compliance.operations.filing import file_batch, mark_filed, record_acknowledgement
from compliance.operations.monitoring_feed import feed_activities
from compliance.operations.reports import correct_report, draft_report, submit_report
from compliance.operations.reports_cash import build_reports
from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.approvals.operations import approve
from flowlet.backoffice.people import Person
from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.demo.people import DESKS
from flowlet.identity import operations as identity
from flowlet.identity.models import ApiClient, Partner, User
from wallets.operations import bank
from wallets.operations.wallets import open_wallet

# Who pays in how many hundred euros in two parts on one day, and how many days ago.
_CASH = (
    ("Leopold Hasenkamp", 62, 14),
    ("Jadwiga Sobol", 71, 14),
    ("Cornelis Duinker", 58, 8),
    ("Ottoline Varga", 66, 3),
    ("Ruprecht Amsel", 83, 2),
)
_ANSWERED, _SENT = 12, 6  # days ago: one file with its answer, one that waits for it


@dataclass(frozen=True, slots=True)
class Filled:
    """What is there afterwards."""

    activity_reports: int
    currency_reports: int
    files: int


def fill(*, now: datetime) -> Filled:
    """
    Bring reports into several states: acknowledged, being corrected, sent, waiting for a file.

    Needs the partners, the staff and the cases of the demo; the answers are invented, as the authority would write them.
    """
    people = {desk.role: User.objects.get(email=desk.email) for desk in DESKS}
    office = _Office(people["officer"], people["lead"])
    begun = clock.now()
    _pay_in(now)
    feed_activities(since=begun)
    for days in (_ANSWERED, _SENT, 0):
        with acting(Actor("SYSTEM", "job:compliance.build_currency_reports")):
            build_reports(now=now - timedelta(days=days))
        if days == _ANSWERED:
            office.answer(
                office.send(FilingForm.CTRX, now - timedelta(days=days)), now - timedelta(days=days - 1)
            )
        elif days == _SENT:
            office.send(FilingForm.CTRX, now - timedelta(days=days))
    for case in (
        Case.objects.filter(state=CaseState.CLOSED_CONFIRMED).select_related("customer").order_by("pk")
    ):
        office.report(case, now)
    return Filled(
        SuspiciousActivityReport.objects.count(),
        CurrencyTransactionReport.objects.count(),
        Filing.objects.count(),
    )


def _pay_in(now: datetime) -> None:
    partner = Partner.objects.order_by("pk")[0]
    client = ApiClient.objects.filter(partner=partner).order_by("pk")[0]
    with acting(Actor("CLIENT", client.public_id, client.name), partner_id=partner.pk):
        for name, hundreds, days in _CASH:
            at = now - timedelta(days=days)
            given, _, family = name.partition(" ")
            customer = identity.create_customer(
                partner_id=partner.pk,
                kind="PERSON",
                given_name=given,
                family_name=family,
                country="DE",
                nationality="DE",
                tier="PLUS",
                now=at - timedelta(days=20),
            )
            wallet = open_wallet(
                customer_id=customer.pk, currency="EUR", purpose="MAIN", name="Everyday EUR", now=at
            )
            for minute in (0, 1):
                made = bank.deposit_cash(
                    wallet_id=wallet.pk,
                    location="Agent 21, Kassel",
                    amount=Money(hundreds * 10_000, "EUR"),
                    idempotency_key=None,
                    now=at + timedelta(minutes=minute),
                )
                if made.status != "COMPLETED":
                    raise RuntimeError(f"cash of the demo was refused: {made.refusal_code}")


class _Office:
    """What officer and lead do with reports and files."""

    def __init__(self, officer: User, lead: User) -> None:
        self.officer, self.lead = officer, lead

    def send(self, form: FilingForm, at: datetime) -> Filing:
        """Make a file of what waits and hand it over."""
        with acting(Person(self.officer).actor):
            made = file_batch(form=form, user_id=self.officer.pk, now=at)
            if made.filing is None or made.set_aside:
                raise RuntimeError("a report of the demo was set aside")
            return mark_filed(filing_id=made.filing.public_id, filed_on=at.date(), now=at)

    def answer(self, filing: Filing, at: datetime) -> None:
        """Take in the answer to a file: every report gets its number."""
        rows = "".join(
            f'<EFilingActivityXML SeqNum="{place}"><BSAID>{31_000_000_000_000 + filing.pk * 1_000 + place}</BSAID>'
            "<EFilingActivityErrorXML/></EFilingActivityXML>"
            for place in range(1, filing.reports + 1)
        )
        content = f'<EFilingBatchXML StatusCode="A"><EFilingSubmissionXML>{rows}</EFilingSubmissionXML></EFilingBatchXML>'
        with acting(Person(self.officer).actor):
            record_acknowledgement(
                filing_id=filing.public_id, content=content.encode(), user_id=self.officer.pk, now=at
            )

    def report(self, case: Case, now: datetime) -> None:
        """Report a case, through to the authority's number, and begin a correction."""
        hours = iter(now - timedelta(hours=back) for back in (40, 39, 36, 34, 12, 4))
        with acting(Person(self.officer).actor):
            draft = draft_report(case_id=case.public_id, user_id=self.officer.pk, now=next(hours))
            waiting = submit_report(
                report_id=draft.public_id,
                user_id=self.officer.pk,
                reason_code="CONFIRMED_CASE",
                note="Narrative and movements compared.",
                now=next(hours),
            )
        if waiting.approval is None:
            raise RuntimeError(f"report {draft.public_id} made no request")
        with acting(Person(self.lead).actor):
            approve(
                approval_id=waiting.approval.pk,
                checker_id=self.lead.pk,
                seen_hash=waiting.approval.content_hash,
                note="Agreed.",
                now=next(hours),
            )
        filing = self.send(FilingForm.SARX, next(hours))
        self.answer(filing, next(hours))
        with acting(Person(self.officer).actor):
            correct_report(report_id=draft.public_id, user_id=self.officer.pk, now=next(hours))
