"""The draft of a case's summary: what the officer hands over, and where his note goes. Whoever can write lies above."""

from datetime import datetime

from compliance.admin_cases import DRAFT, WORK
from compliance.operations import cases
from compliance.operations.cases_deciding import case_href
from compliance.queries_cases import ActivityFact, get_case_facts
from flowlet.backoffice.drafting import DRAFT_SOURCES, DraftFacts, DraftMovement, DraftSource
from flowlet.backoffice.people import Person


def facts_for(case_id: str) -> DraftFacts:
    """
    Return a case as the plain values that a draft is made from.

    :raises NotFound: if there is none of that id
    """
    facts = get_case_facts(case_id)
    customer = facts.customer
    return DraftFacts(
        reference=facts.case,
        subject=customer.name,
        opened_at=facts.opened_at,
        findings=tuple((alert.title, alert.sentence) for alert in facts.alerts),
        movements=tuple(_movement(row) for row in facts.activities),
        totals=tuple(
            f"in {came.format()}, out {went.format()}".replace("\N{NO-BREAK SPACE}", " ")
            for came, went in facts.totals.values()
        ),
        names=tuple(filter(None, (customer.given_name, customer.family_name))),
        first_at=facts.first_at,
        latest_at=facts.latest_at,
    )


def _movement(row: ActivityFact) -> DraftMovement:
    return DraftMovement(
        at=row.at,
        side=row.side,
        kind=row.kind,
        amount=row.amount.format().replace("\N{NO-BREAK SPACE}", " "),
        counterparty=row.counterparty_name,
    )


def _save(case_id: str, text: str, person: Person, now: datetime) -> object:
    return cases.add_note(case_id=case_id, user_id=person.user.pk, note=text, now=now)


DRAFT_SOURCES.register(DRAFT)(
    DraftSource(
        title="Draft a summary of the case",
        permission=WORK,
        facts=facts_for,
        save=_save,
        href=case_href,
    )
)
