"""
State of fraud: history, labels, decisions, versions of rules and policies, trained models.

Nothing here refers to a table of payments or cards, and no row names a person: keys are 8 byte digests. The tables
that only grow (history, labels, decisions) are referred to by number, not by foreign key, so that they can be cut
into partitions without touching their readers.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from flowlet.core.fields import PublicIdField
from fraud import choices
from fraud.columns import FloatVectorField, Xid8Field

_KEYS = ("base_minor", "log_e4", "counterparty_key", "device_key", "country_key", "card_key", "customer_key")


class HistoryEvent(models.Model):
    """
    One scored or reported movement as fraud remembers it: plain values, for ever.

    Keys are digests (0 = the stream lacks it), `log_e4` is ln(1 + minor units) times 10,000, `facts` holds the integers
    about the customer at that instant (see `values.Facts`). `snapshot` is what the scoring transaction could see;
    empty for imported rows, which are compared by (`recorded_at`, id).
    """

    stream = models.CharField(max_length=40)
    source_kind = models.CharField(max_length=30)
    source_id = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    event_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    xact_id = Xid8Field(editable=False)
    snapshot = models.TextField(blank=True, default="")
    customer_key = models.BigIntegerField()
    card_key = models.BigIntegerField(default=0)
    device_key = models.BigIntegerField(default=0)
    ip_key = models.BigIntegerField(default=0)
    terminal_key = models.BigIntegerField(default=0)
    counterparty_key = models.BigIntegerField(default=0)
    country_key = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    base_minor = models.BigIntegerField()
    log_e4 = models.IntegerField()
    facts = models.JSONField(default=dict)
    content_digest = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["stream", "source_kind", "source_id"], name="history_source_once"
            ),
            models.CheckConstraint(name="history_amount_not_negative", condition=Q(amount_minor__gte=0)),
            models.CheckConstraint(name="history_base_not_negative", condition=Q(base_minor__gte=0)),
        ]
        indexes: ClassVar = [
            # One covering index per entity whose past is read: the feature query never visits the table.
            models.Index(
                fields=["stream", "customer_key", "event_at", "id"],
                include=_KEYS[:-1],
                name="history_customer",
            ),
            models.Index(
                fields=["stream", "terminal_key", "event_at", "id"], include=_KEYS, name="history_terminal"
            ),
            models.Index(
                fields=["stream", "device_key", "event_at", "id"], include=_KEYS, name="history_device"
            ),
            models.Index(
                fields=["stream", "counterparty_key", "event_at", "id"],
                include=_KEYS,
                name="history_counterparty",
            ),
            models.Index(fields=["stream", "event_at", "id"], name="history_span"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.source_id}"


class Label(models.Model):
    """
    What somebody said about an event, and the instant we knew it.

    It carries the event's keys so that features need no join. `known_at` is our clock for live labels, the file's
    for imported ones; a date from outside is `reported_at`. A better label ends this one by `superseded_at`.
    """

    stream = models.CharField(max_length=40)
    event_id = models.BigIntegerField()
    event_at = models.DateTimeField()
    customer_key = models.BigIntegerField()
    terminal_key = models.BigIntegerField(default=0)
    device_key = models.BigIntegerField(default=0)
    counterparty_key = models.BigIntegerField(default=0)
    verdict = models.CharField(max_length=8, choices=choices.Verdict)
    source = models.CharField(max_length=16, choices=choices.LabelSource)
    rank = models.SmallIntegerField()
    known_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True, blank=True)
    recorded_by = models.CharField(max_length=80, blank=True, default="")
    xact_id = Xid8Field(editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True)
    superseded_xact = Xid8Field(null=True, editable=False)
    # How many events had been numbered by then: orders label and event within one transaction.
    mark = models.BigIntegerField(editable=False, default=0)
    superseded_mark = models.BigIntegerField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="label_known_after_event", condition=Q(known_at__gte=F("event_at"))),
            models.UniqueConstraint(
                fields=["stream", "event_id"],
                name="label_effective_once",
                condition=Q(superseded_at__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["stream", "customer_key", "known_at"],
                include=["verdict", "superseded_at", "event_at"],
                name="label_customer",
            ),
            models.Index(
                fields=["stream", "terminal_key", "known_at"],
                include=["verdict", "superseded_at", "event_at"],
                name="label_terminal",
            ),
            models.Index(
                fields=["stream", "counterparty_key", "known_at"],
                include=["verdict", "superseded_at", "event_at"],
                name="label_counterparty",
            ),
            models.Index(fields=["stream", "event_id", "known_at"], name="label_event"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.source} on {self.event_id}"


class FeatureSet(models.Model):
    """A named, ordered list of features; the digest binds vectors and models to it."""

    code = models.CharField(max_length=40, unique=True)
    features = ArrayField(models.CharField(max_length=60))
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.code


class RuleVersion(models.Model):
    """
    One version of a rule: its parameters, and for a built rule its condition; fixed once it has left DRAFT.

    `approval` says which approval or release put it live, `backtest_digest` which back-test a built rule passed.
    """

    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=choices.RuleKind)
    parameters = models.JSONField(default=dict)
    condition = models.JSONField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=choices.VersionStatus)
    approval = models.CharField(max_length=80, blank=True, default="")
    backtest_digest = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "version"], name="rule_version_once"),
            models.UniqueConstraint(fields=["code"], name="rule_live_once", condition=Q(status="LIVE")),
            models.CheckConstraint(name="rule_live_approved", condition=~Q(status="LIVE") | ~Q(approval="")),
            models.CheckConstraint(
                name="rule_live_backtested",
                condition=~Q(status="LIVE") | Q(kind="CODED") | ~Q(backtest_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class PolicyVersion(models.Model):
    """What a wrong decision costs and how many reviews people can do, per product (see `policies.Costs`)."""

    product = models.CharField(max_length=8, choices=choices.Product)
    version = models.PositiveIntegerField()
    costs = models.JSONField()
    status = models.CharField(max_length=8, choices=choices.VersionStatus)
    approval = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product", "version"], name="policy_version_once"),
            models.UniqueConstraint(fields=["product"], name="policy_live_once", condition=Q(status="LIVE")),
            models.CheckConstraint(
                name="policy_live_approved", condition=~Q(status="LIVE") | ~Q(approval="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} v{self.version}"


class TrainingRun(models.Model):
    """One training: what was asked, what it read, what came out. Fixed when finished."""

    public_id = PublicIdField(prefix="trn")
    stream = models.CharField(max_length=40)
    learner = models.CharField(max_length=20)
    feature_set = models.CharField(max_length=40)
    as_of = models.DateTimeField()
    span_from = models.DateTimeField()
    span_to = models.DateTimeField()
    seed = models.PositiveIntegerField(default=0)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=choices.RunState)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)
    data_digest = models.CharField(max_length=64, blank=True, default="")
    failure = models.TextField(blank=True, default="")
    requested_by = models.CharField(max_length=80, blank=True, default="")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="training_span_forward", condition=Q(span_from__lt=F("span_to"))),
            models.CheckConstraint(
                name="training_finished_has_time",
                condition=Q(state__in=["QUEUED", "RUNNING"], finished_at__isnull=True)
                | Q(state__in=["DONE", "FAILED"], finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.learner} on {self.stream} as of {self.as_of:%Y-%m-%d}"


class ModelArtefact(models.Model):
    """
    A trained model: what it needs, how good it was, where it stands. Only its standing ever changes.

    `digest` is the SHA-256 over its file digests, feature list and metadata; loaders compare all three.
    """

    public_id = PublicIdField(prefix="mdl")
    run = models.OneToOneField(TrainingRun, models.PROTECT, related_name="artefact")
    stream = models.CharField(max_length=40)
    learner = models.CharField(max_length=20)
    feature_set = models.CharField(max_length=40)
    feature_digest = models.CharField(max_length=64)
    metadata = models.JSONField()
    metrics = models.JSONField()
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=choices.ModelStatus)
    requested_by = models.CharField(max_length=80, blank=True, default="")
    approved_by = models.CharField(max_length=80, blank=True, default="")
    approval = models.OneToOneField(
        "backoffice.Approval", models.PROTECT, null=True, blank=True, related_name="+"
    )
    promoted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["stream"], name="model_champion_once", condition=Q(status="CHAMPION")
            ),
            models.CheckConstraint(
                name="model_champion_approved",
                condition=~Q(status="CHAMPION")
                | (~Q(requested_by="") & ~Q(approved_by="") & Q(promoted_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="model_two_people",
                condition=Q(approved_by="") | ~Q(stream="live") | ~Q(approved_by=F("requested_by")),
            ),
        ]
        permissions: ClassVar = [
            ("promote_model", "Can promote a model"),
            ("approve_model", "Can approve a champion as the second person"),
            ("roll_back_model", "Can go back to the previous model"),
            ("train_model", "Can start a training"),
        ]

    def __str__(self) -> str:
        return f"{self.learner} {self.public_id}"


class ModelFile(models.Model):
    """The bytes of a model: ONNX, or XGBoost JSON for the reasons. No format that can run code."""

    artefact = models.ForeignKey(ModelArtefact, models.PROTECT, related_name="files")
    name = models.CharField(max_length=40)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["artefact", "name"], name="model_file_once"),
        ]

    def __str__(self) -> str:
        return f"{self.artefact_id} {self.name}"


class GateRun(models.Model):
    """The judgement of a candidate beside the champion of that moment; a promotion names it."""

    artefact = models.ForeignKey(ModelArtefact, models.PROTECT, related_name="gate_runs")
    against = models.ForeignKey(ModelArtefact, models.PROTECT, null=True, related_name="+")
    results = models.JSONField()
    passed = models.BooleanField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.artefact_id}: {'passed' if self.passed else 'failed'}"


class Decision(models.Model):
    """One decision with all that is needed to explain and repeat it."""

    public_id = PublicIdField(prefix="fdc")
    stream = models.CharField(max_length=40)
    event_id = models.BigIntegerField(unique=True)
    product = models.CharField(max_length=8, choices=choices.Product)
    partner_id = models.BigIntegerField(null=True)
    customer = models.CharField(max_length=60, blank=True, default="")
    source_kind = models.CharField(max_length=30)
    source_id = models.CharField(max_length=60)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    action = models.CharField(max_length=8, choices=choices.Action)
    probability = models.FloatField(null=True)
    model = models.ForeignKey(ModelArtefact, models.PROTECT, null=True, related_name="+")
    feature_set = models.CharField(max_length=40)
    vector = FloatVectorField()
    policy = models.ForeignKey(PolicyVersion, models.PROTECT, null=True, related_name="+")
    reasons = models.JSONField(default=list)
    coarse_reasons = ArrayField(models.CharField(max_length=40), default=list)
    degraded = ArrayField(models.CharField(max_length=16, choices=choices.Degraded), default=list)
    sample = models.CharField(max_length=12, choices=choices.Sample, default=choices.Sample.ORDINARY)
    unknown = models.JSONField(default=dict)
    elapsed_us = models.PositiveIntegerField()
    decided_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="decision_never_silent_allow",
                condition=~Q(action="ALLOW") | ~Q(degraded__contains=["NOTHING_WORKED"]),
            ),
            models.CheckConstraint(
                name="decision_probability_range",
                condition=Q(probability__isnull=True) | Q(probability__gte=0, probability__lte=1),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["stream", "-decided_at", "-id"], name="decision_recent"),
            models.Index(fields=["customer", "-id"], name="decision_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.source_id}"


class DecisionKey(models.Model):
    """Which decision a source has; not partitioned, so that one source never gets two."""

    stream = models.CharField(max_length=40)
    source_kind = models.CharField(max_length=30)
    source_id = models.CharField(max_length=60)
    decision_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stream", "source_kind", "source_id"], name="decision_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.source_id}"


class ModelScore(models.Model):
    """What one model said at one decision, in which role."""

    decision_id = models.BigIntegerField()
    artefact = models.ForeignKey(ModelArtefact, models.PROTECT, related_name="+")
    role = models.CharField(max_length=10)
    score = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["decision_id", "artefact"], name="model_score_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.score}"


class RuleHit(models.Model):
    """A rule that hit at a decision, or could not be told because a field was missing."""

    decision_id = models.BigIntegerField()
    rule_version = models.ForeignKey(RuleVersion, models.PROTECT, related_name="+")
    live = models.BooleanField()
    action = models.CharField(max_length=8, choices=choices.Action)
    reason = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    unknown = ArrayField(models.CharField(max_length=60), default=list)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["decision_id", "rule_version"], name="rule_hit_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_version_id} on {self.decision_id}"
