"""The daily proof that what customers are owed lies at banks for them."""

from datetime import date, datetime
from functools import partial

from django.db import connection, transaction

from flowlet.audit import trail
from flowlet.events import outbox
from ledger.anchoring import signing
from ledger.events import CLIENT_MONEY_SHORT
from ledger.models.matching import SafeguardingProof
from ledger.operations.breaks import raise_shortfall
from ledger.queries.safeguarding import Standing, digest_of, get_standings, signed_fields


@transaction.atomic
def prove_safeguarding(*, day: date, now: datetime) -> list[SafeguardingProof]:
    """
    Prove a day that has ended, in each currency, and return the proofs that are new.

    The same standing again makes no further proof; another one makes the next version. Where less lies at banks than
    is owed, a break is raised and the house is told.

    :raises BadKeyRing: if ANCHOR_KEYS holds no usable key
    """
    _one_at_a_time(day)
    latest = {
        row.currency: row for row in SafeguardingProof.objects.filter(day=day).order_by("currency", "version")
    }
    made = []
    for standing in get_standings(day):
        proof = _proof(day, standing, now)
        known = latest.get(standing.currency)
        if known is not None and known.sha256 == proof.sha256:
            continue
        proof.version = known.version + 1 if known else 1
        _store(proof)
        made.append(proof)
        if proof.surplus_minor < 0:
            _tell(proof, now)
    return made


def _one_at_a_time(day: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"safeguarding:{day}"])


def _proof(day: date, standing: Standing, now: datetime) -> SafeguardingProof:
    proof = SafeguardingProof(
        day=day,
        currency=standing.currency,
        customer_count=standing.customer_count,
        customers_minor=standing.customers_minor,
        unallocated_minor=standing.unallocated_minor,
        requirement_minor=standing.requirement_minor,
        resource_minor=standing.resource_minor,
        on_the_way_minor=standing.on_the_way_minor,
        accounts=[closing.as_json() for closing in standing.closings],
        complete=standing.complete(day),
        made_by=trail.current_actor().text[:100],
        made_at=now,
    )
    proof.sha256 = digest_of(proof)
    return proof


def _store(proof: SafeguardingProof) -> None:
    proof.key_id, proof.signature = signing.sign(partial(signed_fields, proof))
    proof.save(force_insert=True)
    trail.record(
        action="safeguarding.prove",
        object_type="safeguarding",
        object_id=proof.public_id,
        changes={
            "requirement": [None, proof.requirement_minor],
            "resource": [None, proof.resource_minor],
            "sha256": [None, proof.sha256],
        },
    )


def _tell(proof: SafeguardingProof, now: datetime) -> None:
    raise_shortfall(proof=proof, now=now)
    outbox.publish(
        type=CLIENT_MONEY_SHORT,
        object_type="safeguarding",
        object_id=proof.public_id,
        partner_id=None,
        data={
            "id": proof.public_id,
            "day": proof.day.isoformat(),
            "currency": proof.currency,
            "missing": -proof.surplus_minor,
        },
        at=now,
    )
