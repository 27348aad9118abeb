"""An officer has the summary of a case drafted: nobody's name leaves, and only his own words stay."""

import json
import re

import pytest

from compliance.models.cases import Case, CaseEvent
from compliance.operations.cases import take_case
from compliance.operations.cases_deciding import case_href
from flowlet.backoffice.pages.drafts import draft_href
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core import clock
from flowlet.identity.models import User
from flowlet.integrations.simulation.server import Simulation

pytestmark = pytest.mark.django_db


def test_an_officer_has_a_summary_drafted_and_keeps_his_own_words_as_a_note(
    case: Case, officer: User, vendors: Simulation
) -> None:
    take_case(case_id=case.public_id, user_id=officer.pk, now=clock.now())
    desk, href = log_in(officer), draft_href("case_summary", case.public_id)

    shown = desk.get(case_href(case.public_id)).content.decode()
    before = desk.get(href).content.decode()
    drafted = desk.post(href, {"draft": "1"}).content.decode()
    kept = desk.post(href, {"save": "1", "text": "Three cash deposits just under the limit."})

    sent = json.dumps(vendors.vendors["openai"].books()["calls"]).casefold()
    assert href in shown
    assert "3 cash deposits between" in before
    assert "Written by a model" in drafted
    for name in (case.customer.name, case.customer.family_name, case.public_id):
        assert not re.search(rf"\b{name.casefold()}\b", sent)
    assert (kept.status_code, kept["Location"]) == (303, case_href(case.public_id))
    note = CaseEvent.objects.filter(kind="NOTE").get()
    assert (note.note, note.actor) == ("Three cash deposits just under the limit.", officer)


def test_without_a_model_the_facts_are_put_together(case: Case, officer: User, settings: object) -> None:
    settings.ASSISTANT_ENABLED = False  # type: ignore[attr-defined]

    drafted = log_in(officer).post(draft_href("case_summary", case.public_id), {"draft": "1"})

    text = drafted.content.decode()
    assert "without a model" in text
    assert "Structuring below the reporting limit" in text


def test_who_may_not_work_on_cases_finds_no_draft(case: Case, ops: User, auditor: User) -> None:
    for person in (ops, auditor):
        assert log_in(person).get(draft_href("case_summary", case.public_id)).status_code == 403
