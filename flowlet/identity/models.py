"""Who there is: partners, their users and API clients, their customers, and what customers may not do."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from flowlet.core.fields import EncryptedTextField, PublicIdField
from flowlet.identity.choices import (
    CustomerKind,
    CustomerStatus,
    RestrictionKind,
    RestrictionSource,
    RiskLevel,
    Tier,
)
from flowlet.identity.policies import normal_login


class Partner(models.Model):
    """A company that embeds Flowlet: the tenant. It sees only what is its own."""

    class Status(models.TextChoices):
        """Whether its clients and users may act."""

        ACTIVE = "ACTIVE", "Active"
        SUSPENDED = "SUSPENDED", "Suspended"

    public_id = PublicIdField(prefix="prt")
    name = models.CharField(max_length=120, unique=True)
    country = models.CharField(max_length=2)
    # Where its programme's days begin and end (IANA name): limits count by them.
    time_zone = models.CharField(max_length=40, default="UTC")
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Find and make users by their e-mail address in normal form."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user of that log-in, however it was typed."""
        return self.get(email=normal_login(username or ""))

    def create_superuser(self, email: str, password: str, **extra: Any) -> "User":
        """Make an administrator with every right; for local use, production grants roles."""
        user = self.model(email=normal_login(email), is_staff=True, is_superuser=True, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """
    A person who logs in: house staff (no partner) or a partner's user.

    `security_version` grows when password, role or state change; sessions and tokens carry it.
    """

    public_id = PublicIdField(prefix="usr")
    email = models.CharField(max_length=254, unique=True)
    full_name = models.CharField(max_length=120)
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, blank=True, related_name="users")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    security_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="user_staff_has_no_partner", condition=Q(is_staff=False) | Q(partner__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.full_name or self.email


class ApiClient(models.Model):
    """A partner's program that calls the API."""

    class Status(models.TextChoices):
        """Whether it may ask for tokens and use them."""

        ACTIVE = "ACTIVE", "Active"
        REVOKED = "REVOKED", "Revoked"

    public_id = PublicIdField(prefix="clt")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="api_clients")
    client_id = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    scopes = ArrayField(models.CharField(max_length=60))
    status = models.CharField(max_length=7, choices=Status, default=Status.ACTIVE)
    security_version = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.client_id})"


class ApiClientSecret(models.Model):
    """A keyed hash of one secret of a client; the secret itself is shown once and stored nowhere."""

    client = models.ForeignKey(ApiClient, models.CASCADE, related_name="secrets")
    digest = models.BinaryField(unique=True)
    hint = models.CharField(max_length=8)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="secret_validity_ordered", condition=Q(valid_to__gt=models.F("valid_from"))
            )
        ]

    def __str__(self) -> str:
        return f"secret …{self.hint}"


class Customer(models.Model):
    """
    A person or business of a partner.

    `name` is what people and the screening see; birth date, e-mail and phone are encrypted, with a keyed index beside
    those that are searched. `tier` and `risk_level` are written by compliance and read by all.
    """

    public_id = PublicIdField(prefix="cus")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="customers")
    kind = models.CharField(max_length=8, choices=CustomerKind)
    status = models.CharField(max_length=6, choices=CustomerStatus, default=CustomerStatus.ACTIVE)
    reference = models.CharField(max_length=80, null=True, blank=True)
    name = models.CharField(max_length=200)
    given_name = models.CharField(max_length=100, blank=True, default="")
    family_name = models.CharField(max_length=100, blank=True, default="")
    country = models.CharField(max_length=2)
    nationality = models.CharField(max_length=2, blank=True, default="")
    birth_date = EncryptedTextField(null=True, blank=True)
    email = EncryptedTextField(null=True, blank=True)
    email_index = models.BinaryField(null=True, blank=True)
    phone = EncryptedTextField(null=True, blank=True)
    phone_index = models.BinaryField(null=True, blank=True)
    tier = models.CharField(max_length=8, choices=Tier, default=Tier.BASIC)
    risk_level = models.CharField(max_length=10, choices=RiskLevel, default=RiskLevel.LOW)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [
            ("freeze_customer", "Can freeze a customer"),
            ("unfreeze_customer", "Can lift a freeze of a customer"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["partner", "reference"], name="customer_reference_once"),
            models.CheckConstraint(
                name="customer_business_has_no_birth",
                condition=Q(kind="PERSON") | Q(birth_date__isnull=True, given_name="", family_name=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["partner", "-created_at", "-id"], name="customer_by_partner"),
            models.Index(fields=["-created_at", "-id"], name="customer_newest"),
            models.Index(fields=["email_index"], name="customer_by_email"),
            models.Index(fields=["phone_index"], name="customer_by_phone"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="customer_name_search"),
        ]

    def __str__(self) -> str:
        return self.name


class Restriction(models.Model):
    """
    What a customer, or one of his wallets, may not do now. Written by compliance, fraud and ops; read by all.

    `wallet_ref` names one wallet, '' stands for all. In force while `lifted_at` is null.
    """

    public_id = PublicIdField(prefix="rst")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="restrictions")
    wallet_ref = models.CharField(max_length=40, blank=True, default="")
    kind = models.CharField(max_length=6, choices=RestrictionKind)
    source = models.CharField(max_length=10, choices=RestrictionSource)
    source_ref = models.CharField(max_length=40, blank=True, default="")
    reason_code = models.CharField(max_length=60)
    note = EncryptedTextField(null=True, blank=True)
    placed_by = models.CharField(max_length=160)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=160, blank=True, default="")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lift_reason_code = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "wallet_ref", "kind", "source", "source_ref"],
                condition=Q(lifted_at__isnull=True),
                name="restriction_once_while_in_force",
            ),
            models.CheckConstraint(
                name="restriction_lifted_whole",
                condition=Q(lifted_at__isnull=True, lifted_by="", lift_reason_code="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lift_reason_code="")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-placed_at", "-id"], name="restriction_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_source_display()})"
