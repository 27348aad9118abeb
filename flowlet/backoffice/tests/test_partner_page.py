"""The page of a partner: its time zone is shown, and set by those who keep access."""

import uuid

import pytest
from django.test import Client

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.errors import InvalidInput
from flowlet.identity.models import Partner, User
from flowlet.identity.operations import create_user, set_time_zone

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper() -> Client:
    person = create_user(
        email="a@house.example", full_name="Samuel Adjei", password="a-long-password-1", roles=["access"]
    )
    return log_in(person)


def test_the_time_zone_of_a_partner_is_set_with_a_reason(keeper: Client, partner: Partner) -> None:
    address = f"/admin/do/partner.set_time_zone/{partner.public_id}/"
    asked = keeper.get(address).content.decode()
    version = asked.partition('name="version" value="')[2].partition('"')[0]
    form = {"version": version, "reason": "CONTRACT", "time_zone": "America/New_York"}

    unknown = keeper.post(address, {**form, "form_id": str(uuid.uuid4()), "time_zone": "Mars/Base"})
    done = keeper.post(address, {**form, "form_id": str(uuid.uuid4())})

    assert "Now UTC." in asked
    assert (unknown.status_code, done.status_code) == (400, 303)
    partner.refresh_from_db()
    assert partner.time_zone == "America/New_York"
    page = keeper.get(f"/admin/partners/{partner.public_id}/").content.decode()
    assert "America/New_York" in page
    assert "Set time zone…" in page
    record = AuditRecord.objects.get(action="partner.set_time_zone", outcome="DONE")
    assert record.reason_code == "CONTRACT"
    assert '"time_zone":["UTC","America/New_York"]' in record.changes


def test_others_do_not_set_a_time_zone_and_nobody_an_unknown_one(
    finance: User, auditor: User, partner: Partner, now: object
) -> None:
    for person in (finance, auditor):
        answer = log_in(person).get(f"/admin/do/partner.set_time_zone/{partner.public_id}/")
        assert answer.status_code == 403
    with pytest.raises(InvalidInput):
        set_time_zone(partner_id=partner.pk, time_zone="Mars/Base", reason_code="CONTRACT", now=now)
