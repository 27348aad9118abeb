"""Who a customer is: applications, their documents, what checks found, what was decided, and the risk it rests on."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from compliance.choices_kyc import (
    CLOSED_STATES,
    CheckStatus,
    DecisionReason,
    DocumentState,
    DocumentType,
    KycState,
    Outcome,
    Purpose,
)
from flowlet.core import jsons
from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.identity.choices import RiskLevel, Tier
from flowlet.identity.models import Customer

SIZE_MAX = 10 * 1024 * 1024


class KycApplication(models.Model):
    """
    A customer asks to be identified for a tier. One is open at a time; closed ones never change.

    `form` is the applicant's data as JSON text, encrypted. `submission` counts how often it was handed in, `run` how
    often it was checked. `findings` are the codes why a person must look.
    """

    public_id = PublicIdField(prefix="kya")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    wanted_tier = models.CharField(max_length=8, choices=Tier)
    state = models.CharField(max_length=18, choices=KycState, default=KycState.DRAFT)
    form = EncryptedTextField()
    document_type = models.CharField(max_length=16, choices=DocumentType)
    document_country = models.CharField(max_length=2)
    document_index = models.BinaryField()
    submission = models.PositiveIntegerField(default=0)
    run = models.PositiveIntegerField(default=0)
    findings = ArrayField(models.CharField(max_length=40), default=list)
    asked = ArrayField(models.CharField(max_length=40), default=list)
    risk_level = models.CharField(max_length=10, choices=RiskLevel, blank=True, default="")
    risk_points = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "identity file"
        permissions: ClassVar = [
            ("decide_kyc", "Can decide on an identity file"),
            ("approve_high_risk", "Can approve an identity file of high risk"),
            ("view_document", "Can see identity documents"),
            ("download_document", "Can download the original of an identity document"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer"], condition=~Q(state__in=CLOSED_STATES), name="kyc_one_open_per_customer"
            ),
            models.CheckConstraint(name="kyc_state", condition=Q(state__in=KycState.values)),
            models.CheckConstraint(
                name="kyc_closed_has_time",
                condition=Q(state__in=CLOSED_STATES, closed_at__isnull=False)
                | ~Q(state__in=CLOSED_STATES) & Q(closed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="kyc_submitted_has_time",
                condition=Q(state="DRAFT", submission=0) | Q(submission__gte=1, submitted_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state__in=["IN_REVIEW", "CHECK_ERROR"]),
                name="kyc_waiting_by_due",
            ),
            models.Index(fields=["-created_at", "-id"], name="kyc_newest"),
            models.Index(fields=["customer", "-id"], name="kyc_by_customer"),
            models.Index(fields=["document_index"], name="kyc_by_document"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.get_state_display()})"

    @property
    def data(self) -> dict[str, Any]:
        """The applicant's data, decrypted."""
        found: dict[str, Any] = jsons.loads(self.form.encode())
        return found


class KycDocument(models.Model):
    """
    One uploaded file of an application. What came never changes; only what was thought of it does.

    `picture_hash` is the 64-bit difference hash of the first page as a signed number; `mrz` the lines that the
    partner's capture read, encrypted.
    """

    public_id = PublicIdField(prefix="doc")
    application = models.ForeignKey(KycApplication, models.PROTECT, related_name="documents")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose)
    state = models.CharField(max_length=8, choices=DocumentState, default=DocumentState.PENDING)
    media_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    picture_hash = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    page_count = models.PositiveSmallIntegerField()
    mrz = EncryptedTextField(null=True, blank=True)
    uploaded_by = models.CharField(max_length=160)
    uploaded_at = models.DateTimeField()

    class Meta:
        verbose_name = "identity document"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="kycdocument_size", condition=Q(size__gte=1, size__lte=SIZE_MAX, page_count__gte=1)
            ),
            models.CheckConstraint(
                name="kycdocument_type",
                condition=Q(media_type__in=["image/jpeg", "image/png", "application/pdf"]),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["sha256"], name="kycdocument_by_sha256")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.public_id})"


class DocumentOriginal(models.Model):
    """
    The file as it came, sealed with AES-256-GCM and bound to its document.

    In the database and not in files: written in the transaction of its row, backed up with it, seen by every web
    process, and no plain copy on any disk.
    """

    document = models.OneToOneField(KycDocument, models.PROTECT, primary_key=True, related_name="original")
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"original of document {self.document_id}"


class DocumentPage(models.Model):
    """One page as officers see it: re-encoded JPEG, sealed and bound to document and number."""

    document = models.ForeignKey(KycDocument, models.PROTECT, related_name="pages")
    number = models.PositiveSmallIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "number"], name="documentpage_once")
        ]

    def __str__(self) -> str:
        return f"page {self.number} of document {self.document_id}"


class IdentityCheck(models.Model):
    """What one check found in one run. Append-only; the newest run of an application counts."""

    application = models.ForeignKey(KycApplication, models.PROTECT, related_name="checks")
    run = models.PositiveIntegerField()
    provider = models.CharField(max_length=40)
    code = models.CharField(max_length=40)
    status = models.CharField(max_length=7, choices=CheckStatus)
    detail = models.CharField(max_length=300, blank=True, default="")
    checked_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "run", "provider", "code"], name="identitycheck_once_per_run"
            ),
            models.CheckConstraint(
                name="identitycheck_says_why", condition=Q(status="PASSED") | ~Q(detail="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.get_status_display()}"


class KycDecision(models.Model):
    """
    How one submission was decided, by whom and why. Append-only; one for each submission, so the second of two
    officers meets the first one's row.
    """

    public_id = PublicIdField(prefix="kyd")
    application = models.ForeignKey(KycApplication, models.PROTECT, related_name="decisions")
    submission = models.PositiveIntegerField()
    outcome = models.CharField(max_length=18, choices=Outcome)
    reason_code = models.CharField(max_length=30, choices=DecisionReason)
    note = EncryptedTextField(null=True, blank=True)
    tier = models.CharField(max_length=8, choices=Tier, blank=True, default="")
    risk_level = models.CharField(max_length=10, choices=RiskLevel)
    actor_ref = models.CharField(max_length=60)
    actor_label = models.CharField(max_length=160)
    decided_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "submission"], name="kycdecision_once"),
            models.CheckConstraint(
                name="kycdecision_tier_when_approved",
                condition=Q(outcome__in=["APPROVED", "AUTO_APPROVED"]) & ~Q(tier="")
                | ~Q(outcome__in=["APPROVED", "AUTO_APPROVED"]) & Q(tier=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} by {self.actor_label}"


class DocumentReview(models.Model):
    """What a decision said about one file. Append-only."""

    document = models.ForeignKey(KycDocument, models.PROTECT, related_name="reviews")
    decision = models.ForeignKey(KycDecision, models.PROTECT, related_name="reviews")
    state = models.CharField(max_length=8, choices=DocumentState)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "decision"], name="documentreview_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}"


class RiskModelVersion(models.Model):
    """
    One version of the risk rating: points by factor, bounds of the levels, and dated lists with their source.

    A version that was used never changes: the database refuses it.
    """

    version = models.PositiveIntegerField(unique=True)
    parameters = models.JSONField()
    is_live = models.BooleanField(default=False)
    approval = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["is_live"], condition=Q(is_live=True), name="riskmodel_one_live")
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class RiskAssessment(models.Model):
    """A customer's rating as it was computed: the points of each factor with its reason, and their sum. Append-only."""

    public_id = PublicIdField(prefix="rsk")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    application = models.ForeignKey(KycApplication, models.PROTECT, related_name="assessments")
    run = models.PositiveIntegerField()
    model = models.ForeignKey(RiskModelVersion, models.PROTECT, related_name="assessments")
    factors = models.JSONField()
    points = models.PositiveIntegerField()
    level = models.CharField(max_length=10, choices=RiskLevel)
    assessed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "run"], name="riskassessment_once_per_run"),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()} ({self.points} points)"
