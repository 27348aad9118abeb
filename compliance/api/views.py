"""Identification over the API: data, documents, and how it stands; in outside words only."""

import hashlib
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from rest_framework.response import Response

from compliance import policies_kyc, queries_kyc
from compliance.api import serializers as s
from compliance.documents.content import SIZE_MAX
from compliance.errors_kyc import DocumentRejected
from compliance.models.kyc import KycApplication
from compliance.operations import kyc as operations
from flowlet.core.clock import now
from flowlet.core.errors import FieldError, InvalidInput
from flowlet.gateway.errors import UnsupportedMediaType
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.identity.models import Customer
from flowlet.identity.queries import get_customer

_MULTIPART = "multipart/form-data"
_FORM = {
    "tier": "standard",
    "given_name": "Mirela",
    "family_name": "Sandvik",
    "birth_date": "1990-05-17",
    "nationality": "NO",
    "residence": "NO",
    "address": "Storgata 12",
    "city": "Oslo",
    "postal_code": "0155",
    "document_type": "passport",
    "document_country": "NO",
    "document_number": "C1234567",
    "document_expiry": "2031-03-01",
}


class KycView(ApiView):
    """How a customer's identification stands."""

    scopes = {"GET": "kyc:read", "POST": "kyc:write"}
    idempotent = frozenset({"POST"})

    @document(
        summary="Show a customer's identification",
        description="The state is information_needed, pending, approved or not_permitted; `missing` says what to send.",
        answer=s.KycOut,
    )
    def get(self, request: ApiRequest, customer_id: str) -> Response:
        """Return state, tier and what is missing."""
        customer = _customer(request, customer_id)
        return Response(_render(customer, queries_kyc.find_latest(customer.pk)))

    @document(
        summary="Send a customer's data",
        description="Opens an application for a tier, or corrects one that still takes data. When data and documents "
        "are complete it is checked at once; the end is told by the event customer.kyc_updated.",
        request=s.KycIn,
        answer=s.KycOut,
        status=201,
        example=_FORM,
    )
    def post(self, request: ApiRequest, customer_id: str) -> Response:
        """Take the data."""
        values, customer = self.validated(s.KycIn), _customer(request, customer_id)
        tier = values.pop("tier")
        application = operations.submit_kyc(
            customer_id=customer.pk, tier=tier, form=s.form_of(values), now=now()
        )
        customer.refresh_from_db(fields=["tier"])
        where = {"Location": f"/api/v1/customers/{customer.public_id}/kyc"}
        return Response(_render(customer, application), status=201, headers=where)


class DocumentsView(ApiView):
    """Files of a customer's identification."""

    scopes = {"POST": "kyc:write"}
    idempotent = frozenset({"POST"})
    costs = {"POST": 5}

    @document(
        summary="Send an identity document",
        description="One JPEG, PNG or PDF of at most 10 MB as multipart/form-data: `file`, `purpose`, and in `mrz` the "
        "lines of the machine-readable zone, divided by line breaks, if your capture reads them.",
        request={_MULTIPART: s.DocumentIn},
        answer=s.DocumentOut,
        status=201,
    )
    def post(self, request: ApiRequest, customer_id: str) -> Response:
        """Take one file."""
        customer = _customer(request, customer_id)
        values = self.validated(s.DocumentValues)
        row = operations.add_document(
            customer_id=customer.pk,
            purpose=values["purpose"],
            data=self.file,
            zone_lines=values.get("mrz", ""),
            now=now(),
        )
        return Response(s.render_document(row), status=201)

    file = b""

    def read_body(self, request: HttpRequest) -> Any:
        """
        Read the form; the file stays in memory, never on a disk, and its digest stands for it in the idempotency record.

        :raises UnsupportedMediaType: if it is no multipart form
        :raises InvalidInput: if it is malformed, or the file is missing
        :raises DocumentRejected: if the file is too large
        """
        if request.content_type != _MULTIPART:
            raise UnsupportedMediaType(wanted=_MULTIPART)
        request.upload_handlers = [_InMemory(request)]
        try:
            values, files = request.POST, request.FILES
        except (MultiPartParserError, RequestDataTooBig, UnicodeError):
            raise InvalidInput(errors=(FieldError("", "malformed", "This is no multipart form."),)) from None
        if any(len(given) > 1 for _, given in values.lists()):
            raise InvalidInput(errors=(FieldError("", "repeated", "Send each name once."),))
        body = {name: str(value) for name, value in values.items()}
        if set(files) != {"file"} or len(files.getlist("file")) > 1:
            fault = FieldError("/file", "required", "Send exactly one file in the part named file.")
            raise InvalidInput(errors=(fault,))
        upload = files.getlist("file")[0]
        if upload.size is None or upload.size > SIZE_MAX:
            raise DocumentRejected("TOO_LARGE")
        self.file = upload.read()
        return {**body, "file": hashlib.sha256(self.file).hexdigest()}


class _InMemory(MemoryFileUploadHandler):
    """Keeps every upload in memory: the gateway has refused what is larger than an upload may be."""

    def handle_raw_input(self, *_args: Any, **_kwargs: Any) -> None:
        """Take whatever size the gateway let through."""
        self.activated = True


def _customer(request: ApiRequest, public_id: str) -> Customer:
    return get_customer(partner_id=request.principal.partner_id, public_id=public_id)


def _render(customer: Customer, application: KycApplication | None) -> dict[str, Any]:
    documents = [] if application is None else list(queries_kyc.list_documents(application.pk))
    return s.render_kyc(
        customer=customer,
        application=application,
        documents=documents,
        missing=[policies_kyc.DATA] if application is None else _missing(application),
    )


def _missing(application: KycApplication) -> list[str]:
    takes = policies_kyc.outside_state(application.state) == "information_needed"
    return operations.missing_of(application) if takes else []
