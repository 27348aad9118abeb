"""The demo's reports stand in several states."""

from datetime import datetime

import pytest

from compliance.models.wall import CurrencyTransactionReport, SuspiciousActivityReport
from flowlet.demo import monitoring, reports
from flowlet.demo.people import DESKS, PASSWORD
from flowlet.identity.models import Partner
from flowlet.identity.operations import create_api_client, create_user
from flowlet.identity.scopes import SCOPES

pytestmark = pytest.mark.django_db


def test_reports_of_the_demo_stand_in_several_states(partner: Partner, now: datetime) -> None:
    create_api_client(partner_id=partner.pk, name="Production", scopes=tuple(SCOPES), now=now)
    for desk in DESKS:
        create_user(email=desk.email, full_name=desk.name, password=PASSWORD, roles=[desk.role])
    monitoring.fill(now=now)

    filled = reports.fill(now=now)

    assert set(SuspiciousActivityReport.objects.values_list("state", flat=True)) == {"ACKNOWLEDGED", "DRAFT"}
    states = set(CurrencyTransactionReport.objects.values_list("state", flat=True))
    assert {"ACKNOWLEDGED", "FILED", "APPROVED"} <= states
    assert filled.files == 3
