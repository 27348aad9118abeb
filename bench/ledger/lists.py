"""
A list page of the back office deep down against its first: all of it, through the web layer, as a finance officer.

Transactions newest first; page 10,000 is asked for by the key that its predecessor's link carries.
"""

import base64
import json
import time
from statistics import median

from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from bench.ledger.history import fill
from bench.rows import Row
from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.operations import create_user
from ledger.models.transactions import LedgerTransaction

DEEP_MOST, PAGE, SIZE = 1.5, 10_000, 25


def _took(client: Client, path: str) -> float:
    begun = time.perf_counter()
    answer = client.get(path)
    took = time.perf_counter() - begun
    if answer.status_code != 200 or b"txn_" not in answer.content:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return took


@override_settings(ALLOWED_HOSTS=["*"])
def measure(*, postings: int = 1_000_000, rounds: int = 15) -> list[Row]:
    """Measure in the database that is connected; it must be a throw-away one."""
    fill(postings)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    person = create_user(
        email="bench@house.example", full_name="Bench", password="correct-horse-battery", roles=["finance"]
    )
    client, path = log_in(person), reverse("admin:ledger_ledgertransaction_changelist")
    page = min(PAGE, postings // 2 // SIZE - 2)
    edge = LedgerTransaction.objects.order_by("-pk").values_list("pk", flat=True)[(page - 1) * SIZE - 1]
    deep = f"{path}?after={base64.urlsafe_b64encode(json.dumps([edge]).encode()).decode()}"
    spent: dict[str, list[float]] = {path: [], deep: []}
    for number in range(rounds + 1):
        for one, found in spent.items():
            took = _took(client, one)
            if number:
                found.append(took)
    return [
        Row(
            f"admin list of transactions, page {page:,} / page 1 ({postings:,} postings)",
            median(spent[deep]) / median(spent[path]),
            DEEP_MOST,
            at_most=True,
        )
    ]
