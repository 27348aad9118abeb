"""Reads of identities: files that wait, duplicates, the pages of a document, the numbers of the risk model."""

from collections.abc import Collection

from django.db import connection
from django.db.models import QuerySet

from compliance.choices_kyc import CLOSED_STATES, WAITS_FOR_PERSON, CheckStatus, DocumentState, Purpose
from compliance.documents.form import normal_number
from compliance.models.kyc import (
    DocumentOriginal,
    DocumentPage,
    IdentityCheck,
    KycApplication,
    KycDocument,
    RiskAssessment,
    RiskModelVersion,
)
from flowlet.core import crypto
from flowlet.core.errors import NotFound

NEAR_BITS = 6  # of 64; suspicion, not proof
FIELD_KEYS = "FIELD_KEYS"
_IDENTITY = (Purpose.IDENTITY_FRONT, Purpose.IDENTITY_BACK)
_LIVE_DOCUMENTS = (DocumentState.PENDING, DocumentState.ACCEPTED)
# A picture without any edge (all white, all black) has a hash without bits: it resembles every other such.
_FLAT = (0, -1)


def document_key(*, country: str, kind: str, number: str) -> str:
    """Return what a document is found by over all customers: country, type and number in normal form."""
    return f"{country}|{kind}|{normal_number(number)}"


def document_index(key: str) -> bytes:
    """Return the house-wide keyed hash of a document."""
    return crypto.blind_index("document", None, key)


def find_open(customer_id: int) -> KycApplication | None:
    """Return the open application of a customer, if there is one."""
    return KycApplication.objects.filter(customer_id=customer_id).exclude(state__in=CLOSED_STATES).first()


def find_latest(customer_id: int) -> KycApplication | None:
    """Return the newest application of a customer, open or closed."""
    return KycApplication.objects.filter(customer_id=customer_id).order_by("-id").first()


def get_application(public_id: str) -> KycApplication:
    """
    Return an application with its customer.

    :raises NotFound: if there is none of that id
    """
    found = KycApplication.objects.select_related("customer").filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def list_waiting() -> QuerySet[KycApplication]:
    """Return what waits for a person, first due first."""
    return KycApplication.objects.filter(state__in=WAITS_FOR_PERSON).order_by("due_at", "id")


def live_documents(application_id: int) -> QuerySet[KycDocument]:
    """Return the files of an application that count now, oldest first."""
    rows = KycDocument.objects.filter(application_id=application_id, state__in=_LIVE_DOCUMENTS)
    return rows.order_by("id")


def list_documents(application_id: int) -> QuerySet[KycDocument]:
    """Return all files of an application, oldest first."""
    return KycDocument.objects.filter(application_id=application_id).order_by("id")


def checks_of(application: KycApplication) -> list[IdentityCheck]:
    """Return what the newest run found, in the order of the checks."""
    rows = IdentityCheck.objects.filter(application=application, run=application.run)
    return list(rows.order_by("id"))


def assessment_of(application: KycApplication) -> RiskAssessment | None:
    """Return the rating of the newest run."""
    rows = RiskAssessment.objects.filter(application=application).select_related("model")
    return rows.order_by("-run").first()


def live_model() -> RiskModelVersion:
    """
    Return the risk model in force.

    :raises RiskModelVersion.DoesNotExist: if none is, which no migrated database allows
    """
    return RiskModelVersion.objects.get(is_live=True)


def count_same_file(*, customer_id: int, digests: Collection[str]) -> int:
    """Return how many other customers sent one of these files."""
    rows = KycDocument.objects.filter(sha256__in=digests).exclude(customer_id=customer_id)
    return rows.values("customer_id").distinct().count()


def count_near_pictures(*, customer_id: int, hashes: Collection[int]) -> int:
    """
    Return how many other customers sent an identity picture that looks like one of these.

    Looks at every stored hash: an XOR and a count of bits each, about 10 ms for 100,000 documents.
    """
    told = [value for value in hashes if value not in _FLAT]
    if not told:
        return 0
    sql = """
        SELECT count(DISTINCT d.customer_id) FROM compliance_kycdocument d, unnest(%s::bigint[]) AS mine(hash)
        WHERE d.customer_id <> %s AND d.purpose = ANY(%s) AND d.picture_hash <> ALL(%s)
          AND bit_count((d.picture_hash # mine.hash)::bit(64)) <= %s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [told, customer_id, [str(code) for code in _IDENTITY], list(_FLAT), NEAR_BITS])
        number: int = cursor.fetchone()[0]
    return number


def count_same_number(*, customer_id: int, key: str) -> int:
    """Return how many other customers named this document in a file of theirs."""
    rows = KycApplication.objects.filter(document_index__in=crypto.blind_indexes("document", None, key))
    return rows.exclude(customer_id=customer_id).values("customer_id").distinct().count()


def page_place(document: KycDocument, number: int) -> str:
    """Return what a sealed page is bound to."""
    return f"compliance_documentpage.{document.public_id}.{number}"


def original_place(document: KycDocument) -> str:
    """Return what a sealed original is bound to."""
    return f"compliance_documentoriginal.{document.public_id}"


def open_page(document: KycDocument, number: int) -> bytes:
    """
    Return the JPEG of one page; pages count from 1.

    :raises NotFound: if there is no such page
    """
    page = DocumentPage.objects.filter(document=document, number=number).first()
    if page is None:
        raise NotFound
    return crypto.unseal(bytes(page.sealed), place=page_place(document, number), keys=crypto.ring(FIELD_KEYS))


def open_original(document: KycDocument) -> bytes:
    """Return the file as it came."""
    row = DocumentOriginal.objects.get(document=document)
    return crypto.unseal(bytes(row.sealed), place=original_place(document), keys=crypto.ring(FIELD_KEYS))


def not_passed(checks: Collection[IdentityCheck]) -> list[IdentityCheck]:
    """Return the checks that a person must look at."""
    return [check for check in checks if check.status != CheckStatus.PASSED]
