"""Erasing the words of a transaction from its page: who may, what must be said, and that every digest still verifies."""

import uuid

import pytest
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.models import User
from flowlet.identity.operations import create_user
from ledger.models.transactions import LedgerTransaction, TransactionText
from ledger.operations.checking import prove
from ledger.operations.posting import post
from ledger.operations.sealing import seal
from ledger.tests.factories import NOW, bank, draft, wallet_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper() -> User:
    return create_user(
        email="dora@house.example",
        full_name="Dora Lang",
        password="a-long-password-1",
        roles=["data_protection"],
    )


@pytest.fixture
def told() -> LedgerTransaction:
    posted = post(draft=draft((bank(), 1_000), (wallet_account(), -1_000), text="From her savings"), now=NOW)
    return LedgerTransaction.objects.get(pk=posted.transaction_id)


def test_data_protection_erases_the_words_and_every_digest_still_verifies(
    keeper: User, told: LedgerTransaction
) -> None:
    # Given a sealed transaction with words
    seal()
    client, address = log_in(keeper), f"/admin/do/ledger_transaction.erase_text/{told.public_id}/"
    page_of = reverse("admin:ledger_ledgertransaction_change", args=[told.public_id])
    assert "Erase words…" in client.get(page_of).content.decode()
    asked = client.get(address).content.decode()
    form = {
        "version": told.public_id,
        "reason": "ERASURE_REQUEST",
        "note": "Request 12",
        "confirm": "ERASE",
    }

    # When the word or the reason is missing, nothing happens
    for missing in ({"confirm": "erase"}, {"confirm": ""}, {"reason": ""}, {"note": ""}):
        answer = client.post(address, {**form, "form_id": str(uuid.uuid4()), **missing})
        assert answer.status_code == 400
    assert TransactionText.objects.filter(transaction=told).exists()
    done = client.post(address, {**form, "form_id": str(uuid.uuid4())})

    # Then the words are gone, the proof holds, and the trail says who and why
    assert "Type ERASE to confirm" in asked
    assert done.status_code == 303
    assert not TransactionText.objects.filter(transaction=told).exists()
    assert prove(now=NOW).findings == []
    record = AuditRecord.objects.get(action="ledger_transaction.erase_text", outcome="DONE")
    assert (record.actor, record.reason_code) == (keeper.public_id, "ERASURE_REQUEST")
    assert "From her savings" not in (record.changes or "")
    assert "Erase words…" not in client.get(page_of).content.decode()
    again = client.post(address, {**form, "form_id": str(uuid.uuid4())})
    assert again.status_code == 409


@pytest.mark.parametrize("role", ["finance_lead", "lead", "auditor", "ops"])
def test_nobody_else_erases_words(role: str, told: LedgerTransaction) -> None:
    person = create_user(
        email="some@house.example", full_name="Some One", password="a-long-password-1", roles=[role]
    )

    answer = log_in(person).get(f"/admin/do/ledger_transaction.erase_text/{told.public_id}/")

    assert answer.status_code == 403
