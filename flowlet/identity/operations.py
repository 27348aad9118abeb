"""Writes of identity: partners, people, API clients, customers, restrictions."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.db.models import F

from flowlet.audit import trail
from flowlet.core import crypto
from flowlet.core.errors import FieldError, InvalidInput
from flowlet.core.locks import lock
from flowlet.identity import hooks
from flowlet.identity.choices import CustomerKind, CustomerStatus, RestrictionKind, RestrictionSource, Tier
from flowlet.identity.errors import AlreadyLifted, CustomerClosed, ReferenceTaken, UnknownScope
from flowlet.identity.models import ApiClient, ApiClientSecret, Customer, Partner, Restriction, User
from flowlet.identity.policies import display_name, normal_login, normal_phone
from flowlet.identity.scopes import SCOPES

SECRET_LIFE = timedelta(days=365)


@transaction.atomic
def create_partner(*, name: str, country: str, now: datetime, time_zone: str = "UTC") -> Partner:
    """
    Open a tenant; `country` is ISO 3166 alpha-2, `time_zone` the IANA name of where its days begin.

    :raises ValueError: if there is no such time zone
    """
    if time_zone not in available_timezones():
        raise ValueError(f"there is no time zone {time_zone}")
    partner = Partner.objects.create(name=name, country=country, time_zone=time_zone, created_at=now)
    trail.record(
        action="partner.create", object_type="partner", object_id=partner.public_id, partner_id=partner.pk
    )
    return partner


@transaction.atomic
def set_time_zone(
    *, partner_id: int, time_zone: str, reason_code: str, now: datetime, note: str = ""
) -> None:
    """
    Set where a partner's days begin, by IANA name; days and months that limits count by follow from the next use on.

    :raises InvalidInput: if there is no such time zone
    """
    del now  # the trail keeps when
    if time_zone not in available_timezones():
        fault = FieldError("/time_zone", "unknown", "There is no such time zone.")
        raise InvalidInput(errors=(fault,))
    partner = lock(Partner.objects.filter(pk=partner_id)).get()
    before, partner.time_zone = partner.time_zone, time_zone
    partner.save(update_fields=["time_zone"])
    trail.record(
        action="partner.set_time_zone",
        object_type="partner",
        object_id=partner.public_id,
        changes={"time_zone": [before, time_zone]},
        reason_code=reason_code,
        note=note,
        partner_id=partner.pk,
    )


@transaction.atomic
def create_user(
    *, email: str, full_name: str, password: str, roles: Iterable[str] = (), partner_id: int | None = None
) -> User:
    """
    Make a person who can log in: house staff with roles, or a partner's user without.

    :raises django.core.exceptions.ValidationError: if the password is too weak
    :raises ValueError: if a role does not exist
    """
    user = User(
        email=normal_login(email), full_name=full_name, partner_id=partner_id, is_staff=partner_id is None
    )
    validate_password(password, user)
    user.set_password(password)
    user.save()
    names = set(roles)
    groups = list(Group.objects.filter(name__in=names))
    if len(groups) != len(names):
        raise ValueError(f"unknown role among {sorted(names)}")
    user.groups.set(groups)
    trail.record(
        action="user.create",
        object_type="user",
        object_id=user.public_id,
        partner_id=partner_id,
        changes={"roles": [[], sorted(names)]},
    )
    return user


def secret_digest(secret: str) -> bytes:
    """Return the keyed hash under which a client secret is stored (HMAC-SHA-256 with CLIENT_PEPPER)."""
    return hmac.digest(base64.b64decode(settings.CLIENT_PEPPER), secret.encode(), hashlib.sha256)


@transaction.atomic
def create_api_client(
    *, partner_id: int, name: str, scopes: Iterable[str], now: datetime, secret: str = ""
) -> tuple[ApiClient, str]:
    """
    Make an API client and return it with its secret, which is shown this once and lives a year.

    `secret` may be given for the printed credentials of a sandbox demo; live mode always draws one.

    :raises UnknownScope: if a scope does not exist
    """
    wanted = sorted(set(scopes))
    for scope in wanted:
        if scope not in SCOPES:
            raise UnknownScope(scope=scope)
    kind = "live" if settings.FLOWLET_MODE == "live" else "test"
    if not secret or kind == "live":
        secret = f"sk_{kind}_{secrets.token_urlsafe(32)}"
    client = ApiClient.objects.create(
        partner_id=partner_id,
        client_id=f"cli_{kind}_{secrets.token_hex(12)}",
        name=name,
        scopes=wanted,
        created_at=now,
    )
    ApiClientSecret.objects.create(
        client=client,
        digest=secret_digest(secret),
        hint=secret[-4:],
        valid_from=now,
        valid_to=now + SECRET_LIFE,
    )
    trail.record(
        action="api_client.create",
        object_type="api_client",
        object_id=client.public_id,
        partner_id=partner_id,
        changes={"scopes": [[], wanted]},
    )
    return client, secret


@transaction.atomic
def create_customer(
    *,
    partner_id: int,
    kind: str,
    country: str,
    now: datetime,
    given_name: str = "",
    family_name: str = "",
    legal_name: str = "",
    birth_date: date | None = None,
    nationality: str = "",
    email: str = "",
    phone: str = "",
    reference: str | None = None,
    tier: str = Tier.BASIC,
) -> Customer:
    """
    Take a person or business on. Screening and other hooks run in the same transaction.

    A person has `given_name` and `family_name`, a business `legal_name`. Countries are ISO 3166 alpha-2.

    :raises ReferenceTaken: if the partner used the reference before
    :raises ValueError: if the names do not fit the kind
    """
    name = display_name(given_name=given_name, family_name=family_name, legal_name=legal_name)
    if not name or (kind == CustomerKind.BUSINESS) != bool(legal_name.strip()):
        raise ValueError("a person has given and family name, a business a legal name")
    email, phone = normal_login(email), normal_phone(phone) or phone.strip()
    customer = Customer(
        partner_id=partner_id,
        kind=kind,
        country=country,
        nationality=nationality,
        name=name,
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        birth_date=birth_date.isoformat() if birth_date else None,
        email=email or None,
        email_index=crypto.blind_index("email", partner_id, email) if email else None,
        phone=phone or None,
        phone_index=crypto.blind_index("phone", partner_id, phone) if phone else None,
        reference=reference or None,
        tier=tier,
        created_at=now,
    )
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError as error:
        if "customer_reference_once" in str(error):
            raise ReferenceTaken from error
        raise
    trail.record(
        action="customer.create",
        object_type="customer",
        object_id=customer.public_id,
        customer=customer.public_id,
        partner_id=partner_id,
    )
    for hook in hooks.CUSTOMER_CREATED.values():
        hook(customer, now)
    return customer


@transaction.atomic
def place_restriction(
    *,
    customer_id: int,
    kind: str,
    source: str,
    reason_code: str,
    now: datetime,
    note: str = "",
    wallet_ref: str = "",
    source_ref: str = "",
) -> Restriction:
    """
    Forbid a customer (or one wallet of his) something, at once and for every door. Asking again changes nothing.

    :raises CustomerClosed: if the relation has ended
    """
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    if customer.status == CustomerStatus.CLOSED:
        raise CustomerClosed
    restriction, fresh = Restriction.objects.get_or_create(
        customer=customer,
        wallet_ref=wallet_ref,
        kind=kind,
        source=source,
        source_ref=source_ref,
        lifted_at=None,
        defaults={
            "reason_code": reason_code,
            "note": note or None,
            "placed_by": trail.current_actor().label or trail.current_actor().ref,
            "placed_at": now,
        },
    )
    if fresh:
        _after_restriction(
            customer, restriction, verb="restrict", reason_code=reason_code, note=note, now=now
        )
    return restriction


@transaction.atomic
def lift_restriction(*, restriction_id: int, reason_code: str, now: datetime, note: str = "") -> Restriction:
    """
    End one restriction; others of the same customer stay in force.

    :raises AlreadyLifted: if somebody else was quicker
    """
    customer_id = Restriction.objects.values_list("customer_id", flat=True).get(pk=restriction_id)
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    restriction = lock(Restriction.objects.filter(pk=restriction_id)).get()
    if restriction.lifted_at is not None:
        raise AlreadyLifted
    restriction.lifted_at = now
    restriction.lifted_by = trail.current_actor().label or trail.current_actor().ref
    restriction.lift_reason_code = reason_code
    restriction.save(update_fields=["lifted_at", "lifted_by", "lift_reason_code"])
    _after_restriction(customer, restriction, verb="release", reason_code=reason_code, note=note, now=now)
    return restriction


def _after_restriction(
    customer: Customer, restriction: Restriction, *, verb: str, reason_code: str, note: str, now: datetime
) -> None:
    in_force = restriction.lifted_at is None
    Customer.objects.filter(pk=customer.pk).update(version=F("version") + 1)
    trail.record(
        action=f"customer.{verb}",
        object_type="customer",
        object_id=customer.public_id,
        customer=customer.public_id,
        partner_id=customer.partner_id,
        changes={
            "restriction": [None, restriction.kind] if in_force else [restriction.kind, None],
            "source": [restriction.source, restriction.source_ref or None],
            "wallet": [restriction.wallet_ref or None, restriction.wallet_ref or None],
        },
        reason_code=reason_code,
        note=note,
    )
    for hook in hooks.RESTRICTION_CHANGED.values():
        hook(restriction, now)


def freeze_customer(*, customer_id: int, reason_code: str, now: datetime, note: str = "") -> Restriction:
    """Stop all money of a customer, in and out, by hand of ops or compliance."""
    return place_restriction(
        customer_id=customer_id,
        kind=RestrictionKind.FROZEN,
        source=RestrictionSource.OPS,
        reason_code=reason_code,
        note=note,
        now=now,
    )
