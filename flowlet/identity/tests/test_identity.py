"""Users, clients, customers, restrictions, and the encrypted columns they stand on."""

import threading
from datetime import date

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password
from django.contrib.auth.models import Group
from django.core.exceptions import FieldError, ValidationError
from django.db import IntegrityError, close_old_connections, connection, transaction

from conftest import NOW, PASSWORD
from flowlet.audit.models import AuditNote, AuditRecord
from flowlet.core.errors import InvariantBroken
from flowlet.core.locks import LockOrderError, lock
from flowlet.events.models import Event
from flowlet.identity import operations, queries
from flowlet.identity.errors import AlreadyLifted, ReferenceTaken, UnknownScope
from flowlet.identity.models import Customer, Restriction, User
from flowlet.identity.roles import ROLE_PERMISSIONS

pytestmark = pytest.mark.django_db


def _person(partner, **given):
    values = {"given_name": "Ana", "family_name": "Lund", "country": "SE", "kind": "PERSON", "now": NOW}
    return operations.create_customer(partner_id=partner.pk, **{**values, **given})


def test_people_log_in_with_their_e_mail_however_they_type_it(officer):
    assert User.objects.get_by_natural_key(" ILSE@house.EXAMPLE ") == officer
    assert officer.check_password(PASSWORD)


def test_production_hashes_passwords_with_bcrypt_sha256_in_twelve_rounds():
    hasher = BCryptSHA256PasswordHasher()

    assert hasher.rounds == 12
    encoded = make_password("x" * 100, hasher=hasher)
    assert encoded.startswith("bcrypt_sha256$$2b$12$")
    assert hasher.verify("x" * 100, encoded)
    assert not hasher.verify("x" * 99, encoded)


@pytest.mark.parametrize("password", ["short", "password123456789"[:12], "qwertyuiop"])
def test_a_weak_password_is_refused(password):
    with pytest.raises(ValidationError):
        operations.create_user(email="a@house.example", full_name="A", password=password)

    assert not User.objects.exists()


def test_every_role_of_the_table_is_a_group_with_its_permissions():
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLE_PERMISSIONS)
    freeze = Group.objects.filter(permissions__codename="freeze_customer").values_list("name", flat=True)
    assert set(freeze) == {"ops", "officer", "lead"}


def test_a_client_secret_is_stored_as_a_keyed_hash_only(partner):
    client, secret = operations.create_api_client(
        partner_id=partner.pk, name="Server", scopes=["wallets:read"], now=NOW
    )

    row = client.secrets.get()
    assert bytes(row.digest) == operations.secret_digest(secret)
    assert secret.encode() not in bytes(row.digest)
    assert client.client_id.startswith("cli_test_")
    with pytest.raises(UnknownScope):
        operations.create_api_client(partner_id=partner.pk, name="X", scopes=["money:print"], now=NOW)


def test_personal_data_is_encrypted_at_rest_and_read_back(partner):
    customer = _person(
        partner, birth_date=date(1990, 2, 28), email="Ana@Mail.example", phone="+46 70 123 45 67"
    )

    stored = Customer.objects.get(pk=customer.pk)
    values = ("1990-02-28", "ana@mail.example", "+46701234567")
    assert (stored.birth_date, stored.email, stored.phone) == values
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(c)::text FROM identity_customer c WHERE id = %s", [customer.pk])
        dump = cursor.fetchone()[0]
    for value in values:
        # The whole values, also as bytes are shown: a part of one, such as a year, occurs by chance in what is sealed.
        assert value not in dump
        assert value.encode().hex() not in dump
    assert str(Customer.objects.values_list("email", flat=True).get()) == "<sealed>"


def test_an_unset_encrypted_value_stays_null_and_an_empty_one_empty(partner):
    customer = _person(partner)
    assert Customer.objects.get(pk=customer.pk).email is None
    customer.email = ""
    customer.save()

    assert Customer.objects.get(pk=customer.pk).email == ""
    assert not Customer.objects.filter(email__isnull=True).exists()


def test_an_encrypted_value_moved_to_another_row_does_not_open(partner):
    first, second = _person(partner, email="a@mail.example"), _person(partner, email="b@mail.example")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE identity_customer SET email = (SELECT email FROM identity_customer WHERE id = %s) WHERE id = %s",
            [first.pk, second.pk],
        )

    with pytest.raises(InvariantBroken):
        _ = Customer.objects.get(pk=second.pk).email


def test_plain_text_cannot_reach_an_encrypted_column_or_search_it(partner):
    customer = _person(partner)

    with pytest.raises(FieldError):
        Customer.objects.filter(pk=customer.pk).update(email="plain@mail.example")
    with pytest.raises(FieldError):
        Customer.objects.filter(email="plain@mail.example").exists()
    customer.email = "plain@mail.example"
    with pytest.raises(FieldError):
        Customer.objects.bulk_update([customer], ["email"])


def test_saving_a_row_without_opening_it_keeps_its_ciphertext(partner):
    customer = _person(partner, email="ana@mail.example")

    row = Customer.objects.get(pk=customer.pk)
    row.name = "Ana L."
    row.save()

    assert Customer.objects.get(pk=customer.pk).email == "ana@mail.example"


def test_a_partner_uses_a_reference_once_and_another_partner_may_use_it_too(partner, other_partner):
    _person(partner, reference="u-1")
    _person(other_partner, reference="u-1")

    with pytest.raises(ReferenceTaken):
        _person(partner, reference="u-1")


def test_creating_a_customer_is_audited_and_told(partner):
    customer = _person(partner, reference="u-2")

    assert AuditRecord.objects.filter(action="customer.create", customer=customer.public_id).count() == 1
    event = Event.objects.get(object_id=customer.public_id)
    assert (event.type, event.sequence, event.data["reference"]) == ("customer.created", 1, "u-2")
    assert "Lund" not in str(event.data)


def test_a_restriction_binds_at_once_and_is_told_in_neutral_words(customer, as_officer):
    restriction = operations.freeze_customer(
        customer_id=customer.pk, reason_code="SUSPICION", note="Looks odd", now=NOW
    )

    assert list(queries.active_restrictions(customer_id=customer.pk, wallet_ref="wal_x")) == [restriction]
    assert restriction.placed_by == as_officer.full_name
    event = Event.objects.filter(object_id=customer.public_id).latest("sequence")
    assert event.type == "customer.restricted"
    assert "SUSPICION" not in str(event.data)
    row = AuditRecord.objects.get(action="customer.restrict")
    assert row.reason_code == "SUSPICION"
    assert AuditNote.objects.filter(record=row).exists()


def test_asking_for_the_same_restriction_again_changes_nothing(customer):
    first = operations.freeze_customer(customer_id=customer.pk, reason_code="A", now=NOW)
    second = operations.freeze_customer(customer_id=customer.pk, reason_code="B", now=NOW)

    assert first == second
    assert AuditRecord.objects.filter(action="customer.restrict").count() == 1


def test_a_restriction_is_lifted_once_and_others_stay(customer, as_officer):
    frozen = operations.freeze_customer(customer_id=customer.pk, reason_code="A", now=NOW)
    screening = operations.place_restriction(
        customer_id=customer.pk,
        kind="NO_OUT",
        source="SCREENING",
        source_ref="hit_1",
        reason_code="HIT",
        now=NOW,
    )

    operations.lift_restriction(restriction_id=frozen.pk, reason_code="CLEARED", now=NOW)

    assert list(queries.active_restrictions(customer_id=customer.pk)) == [screening]
    with pytest.raises(AlreadyLifted):
        operations.lift_restriction(restriction_id=frozen.pk, reason_code="CLEARED", now=NOW)


def test_a_wallet_s_restriction_does_not_bind_another_wallet(customer):
    operations.place_restriction(
        customer_id=customer.pk, kind="NO_OUT", source="OPS", wallet_ref="wal_a", reason_code="A", now=NOW
    )

    assert queries.active_restrictions(customer_id=customer.pk, wallet_ref="wal_a").exists()
    assert not queries.active_restrictions(customer_id=customer.pk, wallet_ref="wal_b").exists()


def test_a_half_lifted_restriction_is_refused_by_the_database(customer):
    frozen = operations.freeze_customer(customer_id=customer.pk, reason_code="A", now=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        Restriction.objects.filter(pk=frozen.pk).update(lifted_at=NOW)


def test_staff_cannot_belong_to_a_partner(partner, officer):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=officer.pk).update(partner=partner)


def test_locking_tables_backwards_is_refused(customer):
    with transaction.atomic():
        list(lock(Restriction.objects.all()))
        with pytest.raises(LockOrderError, match="locked after"):
            lock(Customer.objects.filter(pk=customer.pk))


def test_each_transaction_has_a_lock_order_of_its_own(customer):
    with transaction.atomic():
        list(lock(Restriction.objects.all()))

    with transaction.atomic():
        assert lock(Customer.objects.filter(pk=customer.pk)).get() == customer


@pytest.mark.django_db(transaction=True)
def test_two_people_who_freeze_at_once_leave_one_restriction(customer):
    barrier, errors = threading.Barrier(8), []

    def freeze() -> None:
        try:
            barrier.wait()
            operations.freeze_customer(customer_id=customer.pk, reason_code="A", now=NOW)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=freeze) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert Restriction.objects.count() == 1
    assert Event.objects.filter(type="customer.restricted").count() == 1
