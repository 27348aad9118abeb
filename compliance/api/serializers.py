"""Bodies and answers of identification."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from rest_framework import serializers

from compliance import policies_kyc
from compliance.choices_kyc import DocumentState, DocumentType, Purpose
from compliance.documents.form import Form
from compliance.models.kyc import KycApplication, KycDocument
from flowlet.gateway.fields import CountryField, DayField, TextField, WordField
from flowlet.gateway.serializers import StrictSerializer
from flowlet.identity.choices import Tier
from flowlet.identity.models import Customer

ZONE_LENGTH_MAX = 200
_BORN_EARLIEST = date(1900, 1, 1)
_STATES = ("information_needed", "pending", "approved", "not_permitted")
_TIERS = [Tier.STANDARD.value, Tier.PLUS.value]


class KycIn(StrictSerializer):
    """An applicant's data, as the document says them."""

    tier = WordField(codes=_TIERS, help_text="What the customer applies for.")
    given_name = TextField(max_length=100)
    family_name = TextField(max_length=100)
    birth_date = DayField()
    nationality = CountryField()
    residence = CountryField(help_text="Where the customer lives.")
    address = TextField(max_length=200)
    city = TextField(max_length=100)
    postal_code = TextField(max_length=20)
    document_type = WordField(codes=DocumentType.values)
    document_country = CountryField(help_text="Who issued the document.")
    document_number = TextField(max_length=40)
    document_expiry = DayField(help_text="The last day on which the document is valid.")
    politically_exposed = serializers.BooleanField(
        required=False,
        help_text="Whether the customer holds a high public office, or is close to somebody who does.",
    )

    def validate_birth_date(self, value: date) -> date:
        """
        Return the day.

        :raises ValidationError: if nobody alive was born then
        """
        if value < _BORN_EARLIEST:
            raise serializers.ValidationError("Nobody alive was born then.", code="invalid_date")
        return value


class DocumentValues(StrictSerializer):
    """The texts of an upload; `file` is the digest of what came in the part of that name."""

    purpose = WordField(codes=Purpose.values)
    mrz = TextField(lines=True, required=False, max_length=ZONE_LENGTH_MAX)
    file = TextField(max_length=64)


class DocumentIn(serializers.Serializer[Any]):
    """One file as a multipart form."""

    purpose = serializers.ChoiceField(choices=[code.lower() for code in Purpose.values])
    mrz = serializers.CharField(
        required=False, max_length=ZONE_LENGTH_MAX, help_text="Two or three lines, as printed."
    )
    file = serializers.FileField()


class DocumentOut(serializers.Serializer[Any]):
    """A file that was taken; the picture itself is not given out again."""

    id = serializers.CharField()
    object = serializers.ChoiceField(choices=["kyc_document"])
    purpose = serializers.ChoiceField(choices=[code.lower() for code in Purpose.values])
    status = serializers.ChoiceField(choices=[code.lower() for code in DocumentState.values])
    media_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    pages = serializers.IntegerField()
    sha256 = serializers.CharField()
    created_at = serializers.DateTimeField()


class RequestOut(serializers.Serializer[Any]):
    """Something that was asked for."""

    reason = serializers.CharField()
    text = serializers.CharField()


class KycOut(serializers.Serializer[Any]):
    """How a customer's identification stands."""

    object = serializers.ChoiceField(choices=["kyc"])
    id = serializers.CharField(allow_null=True, help_text="The newest application; null before the first.")
    customer = serializers.CharField()
    tier = serializers.ChoiceField(choices=[code.lower() for code in Tier.values])
    wanted_tier = serializers.ChoiceField(choices=[code.lower() for code in _TIERS], allow_null=True)
    state = serializers.ChoiceField(choices=_STATES)
    missing = serializers.ListField(
        child=serializers.ChoiceField(choices=["data", *(code.lower() for code in Purpose.values)]),
        help_text="What must come before it can go on.",
    )
    requests = RequestOut(many=True, help_text="What was asked for, in words for the customer.")
    documents = DocumentOut(many=True)
    created_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)


def form_of(values: dict[str, Any]) -> Form:
    """Return the form of a checked body."""
    return Form(**values)


def render_document(row: KycDocument) -> dict[str, Any]:
    """Return a document as its partner sees it."""
    return {
        "id": row.public_id,
        "object": "kyc_document",
        "purpose": row.purpose.lower(),
        "status": row.state.lower(),
        "media_type": row.media_type,
        "size": row.size,
        "pages": row.page_count,
        "sha256": row.sha256,
        "created_at": row.uploaded_at,
    }


def render_kyc(
    *,
    customer: Customer,
    application: KycApplication | None,
    documents: Sequence[KycDocument],
    missing: Sequence[str],
) -> dict[str, Any]:
    """Return how identification stands: never a check, a point or a reason of ours."""
    state = "information_needed" if application is None else policies_kyc.outside_state(application.state)
    return {
        "object": "kyc",
        "id": application.public_id if application else None,
        "customer": customer.public_id,
        "tier": customer.tier.lower(),
        "wanted_tier": application.wanted_tier.lower() if application else None,
        "state": state,
        "missing": [item.lower() for item in missing],
        "requests": policies_kyc.asked_words(application.asked) if application else [],
        "documents": [render_document(row) for row in documents],
        "created_at": application.created_at if application else None,
        "decided_at": application.closed_at if application else None,
    }
