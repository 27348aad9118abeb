"""Lists, whom they name, whom we compare with them, and what people decided."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from compliance.choices import (
    EntityKind,
    FactKind,
    HitStatus,
    NameKind,
    NotScreenedReason,
    Outcome,
    ReasonCode,
    RunStatus,
    SubjectState,
    VersionStatus,
)
from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.identity.models import Customer

POINTS_MAX = 10_000


class ListSource(models.Model):
    """One list that is delivered again and again; `code` is the key in the registry `compliance.lists`."""

    code = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.title


class ListVersion(models.Model):
    """One delivery of a list: what came, whether it was accepted, and if not, why."""

    public_id = PublicIdField(prefix="lst")
    source = models.ForeignKey(ListSource, models.PROTECT, related_name="versions")
    status = models.CharField(max_length=7, choices=VersionStatus, default=VersionStatus.STAGED)
    sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=12, blank=True, default="")
    counts = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    refusals = models.JSONField(default=list)
    size_override = models.CharField(max_length=200, blank=True, default="")
    loaded_by = models.CharField(max_length=160)
    staged_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(status="LIVE"), name="listversion_one_live_per_source"
            ),
            models.CheckConstraint(
                name="listversion_live_since", condition=~Q(status="LIVE") | Q(live_at__isnull=False)
            ),
            models.CheckConstraint(
                name="listversion_refused_says_why", condition=~Q(status="REFUSED") | ~Q(refusals=[])
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-staged_at", "-id"], name="listversion_newest")]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.get_status_display()} since {self.staged_at:%Y-%m-%d}"


class ListedEntity(models.Model):
    """
    A person, organisation, vessel or aircraft as one list described it from one version to another.

    `uid` is the list's own id. Rows never change but for `is_live` and `to_version`: a changed entity is a new row.
    """

    source = models.ForeignKey(ListSource, models.PROTECT, related_name="entities")
    uid = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=EntityKind)
    name = models.CharField(max_length=400)
    programs = ArrayField(models.CharField(max_length=80), default=list)
    remarks = models.TextField(blank=True, default="")
    is_cut = models.BooleanField(default=False)
    fingerprint = models.CharField(max_length=64)
    from_version = models.ForeignKey(ListVersion, models.PROTECT, related_name="first_entities")
    to_version = models.ForeignKey(
        ListVersion, models.PROTECT, null=True, blank=True, related_name="ended_entities"
    )
    is_live = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "uid"], condition=Q(is_live=True), name="listedentity_one_live_per_uid"
            ),
            models.CheckConstraint(
                name="listedentity_ended_is_not_live", condition=Q(to_version__isnull=True) | Q(is_live=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ListedName(models.Model):
    """One name of a listed entity, raw and in normal form (see `compliance.names`)."""

    entity = models.ForeignKey(ListedEntity, models.CASCADE, related_name="names")
    kind = models.CharField(max_length=7, choices=NameKind)
    text = models.CharField(max_length=400)
    words = models.TextField()
    sorted_words = models.TextField()
    joined_words = models.TextField()
    key = models.TextField()

    class Meta:
        indexes: ClassVar = [
            GinIndex(
                fields=["sorted_words"],
                opclasses=["gin_trgm_ops"],
                fastupdate=False,
                name="listedname_sorted",
            ),
            GinIndex(
                fields=["joined_words"],
                opclasses=["gin_trgm_ops"],
                fastupdate=False,
                name="listedname_joined",
            ),
            models.Index(fields=["key"], name="listedname_key"),
        ]

    def __str__(self) -> str:
        return self.text


class ListedFact(models.Model):
    """One fact about a listed entity. Birth dates are ranges: a year is the range of its days."""

    entity = models.ForeignKey(ListedEntity, models.CASCADE, related_name="facts")
    kind = models.CharField(max_length=11, choices=FactKind)
    text = models.CharField(max_length=1100)
    country = models.CharField(max_length=2, blank=True, default="")
    date_from = models.DateField(null=True, blank=True)
    date_to = models.DateField(null=True, blank=True)
    is_circa = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="listedfact_dates_ordered",
                condition=Q(date_from__isnull=True, date_to__isnull=True) | Q(date_to__gte=F("date_from")),
            )
        ]

    def __str__(self) -> str:
        return self.text


class ScreeningSubject(models.Model):
    """
    A customer as the lists see him: normal forms to search by, and what came out.

    `fingerprint` is a keyed digest over names and facts; it changes when anything that is compared changes.
    """

    customer = models.OneToOneField(Customer, models.PROTECT, related_name="+")
    fingerprint = models.CharField(max_length=64)
    sorted_words = models.TextField()
    joined_words = models.TextField()
    key = models.TextField()
    state = models.CharField(max_length=12, choices=SubjectState)
    not_screened_reason = models.CharField(max_length=20, choices=NotScreenedReason, blank=True, default="")
    engine_version = models.CharField(max_length=20)
    screened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="subject_not_screened_says_why",
                condition=Q(state="NOT_SCREENED", screened_at__isnull=True) & ~Q(not_screened_reason="")
                | Q(screened_at__isnull=False, not_screened_reason="") & ~Q(state="NOT_SCREENED"),
            )
        ]
        indexes: ClassVar = [
            GinIndex(
                fields=["sorted_words"], opclasses=["gin_trgm_ops"], fastupdate=False, name="subject_sorted"
            ),
            GinIndex(
                fields=["joined_words"], opclasses=["gin_trgm_ops"], fastupdate=False, name="subject_joined"
            ),
            models.Index(fields=["key"], name="subject_key"),
            models.Index(fields=["customer"], condition=Q(state="NOT_SCREENED"), name="subject_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.get_state_display()}"


class ScreeningRun(models.Model):
    """Re-screening after a list went live: who had to be looked at, who was, and what came out."""

    public_id = PublicIdField(prefix="run")
    version = models.OneToOneField(ListVersion, models.PROTECT, related_name="run")
    status = models.CharField(max_length=8, choices=RunStatus, default=RunStatus.RUNNING)
    population = models.PositiveIntegerField(default=0)
    checked = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="run_complete_checked_all",
                condition=~Q(status="COMPLETE") | Q(checked=F("population"), finished_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.get_status_display()})"


class ScreeningHit(models.Model):
    """
    A possible match of a customer with a listed entity.

    `points` are ten-thousandths. `comparison` is what the officer sees, as it was computed: rows with their signed
    shares, which sum to `points`. The four keys (customer, entity, both fingerprints) exist once.
    """

    public_id = PublicIdField(prefix="hit")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    entity = models.ForeignKey(ListedEntity, models.PROTECT, related_name="hits")
    subject_fingerprint = models.CharField(max_length=64)
    entity_fingerprint = models.CharField(max_length=64)
    matched_name = models.CharField(max_length=400)
    points = models.PositiveIntegerField()
    name_points = models.PositiveIntegerField()
    threshold = models.PositiveIntegerField()
    comparison = models.JSONField()
    main_reason = models.CharField(max_length=120)
    engine_version = models.CharField(max_length=20)
    status = models.CharField(max_length=14, choices=HitStatus, default=HitStatus.OPEN)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [("decide_hit", "Can clear, escalate or confirm a hit")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "entity", "subject_fingerprint", "entity_fingerprint"],
                name="hit_four_keys_once",
            ),
            models.CheckConstraint(
                name="hit_points_in_range", condition=Q(points__lte=POINTS_MAX, name_points__lte=POINTS_MAX)
            ),
            models.CheckConstraint(
                name="hit_closed_has_time",
                condition=Q(status__in=["OPEN", "ESCALATED"], closed_at__isnull=True)
                | (~Q(status__in=["OPEN", "ESCALATED"]) & Q(closed_at__isnull=False)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"], condition=Q(status__in=["OPEN", "ESCALATED"]), name="hit_open_by_due"
            ),
            models.Index(fields=["-opened_at", "-id"], name="hit_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.get_status_display()})"


class HitDecision(models.Model):
    """One person's opinion about a hit. Append-only: the database refuses UPDATE, DELETE and TRUNCATE."""

    public_id = PublicIdField(prefix="hde")
    hit = models.ForeignKey(ScreeningHit, models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=14, choices=Outcome)
    reason_code = models.CharField(max_length=30, choices=ReasonCode)
    note = EncryptedTextField(null=True, blank=True)
    actor_ref = models.CharField(max_length=60)
    actor_label = models.CharField(max_length=160)
    decided_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            # A double click, or a form sent twice, meets this.
            models.UniqueConstraint(
                fields=["hit", "actor_ref", "outcome"], name="hitdecision_once_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} by {self.actor_label}"


class ScreeningPolicy(models.Model):
    """
    The numbers of screening, as data: the newest row that is valid counts, the defaults while there is none.

    Points are ten-thousandths.
    """

    threshold = models.PositiveIntegerField()
    due_hours = models.PositiveIntegerField()
    valid_from = models.DateTimeField(unique=True)
    changed_by = models.CharField(max_length=160)
    reason = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="screeningpolicy_bounds",
                condition=Q(threshold__gte=6000, threshold__lte=9500, due_hours__gte=1, due_hours__lte=240),
            )
        ]

    def __str__(self) -> str:
        return f"from {self.valid_from:%Y-%m-%d}: {self.threshold}"
