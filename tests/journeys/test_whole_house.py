"""The whole story by API and by the forms of the back office, without a browser."""

import re

import pytest
from django.test import Client

from flowlet.backoffice.tests.conftest import log_in
from flowlet.core import clock
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Partner, User
from tests.journeys.story import load_watchlist, play

pytestmark = pytest.mark.django_db
OK, SEE_OTHER = 200, 303


class Forms:
    """A desk that fills in forms as a browser without scripts would."""

    def __init__(self, user: User) -> None:
        self.client: Client = log_in(user)

    def look(self, href: str) -> str:
        answer = self.client.get(href)
        assert answer.status_code == OK
        return answer.content.decode()

    def press(self, act: str, object_id: str, *, reason: str = "", note: str = "") -> None:
        href = f"/admin/do/{act}/{object_id}/"
        hidden = dict(
            re.findall(r'<input type="hidden" name="(form_id|version)" value="([^"]+)"', self.look(href))
        )
        answer = self.client.post(href, {**hidden, "reason": reason, "note": note})
        assert answer.status_code == SEE_OTHER, re.sub(r"<[^>]+>", " ", answer.content.decode())[-900:]

    def sees_picture(self, href: str) -> bool:
        picture = re.search(r'<img class="sheet-picture" src="([^"]+)"', self.look(href))
        assert picture is not None
        return self.client.get(picture.group(1)).status_code == OK

    def statement(self, wallet: str) -> str:
        asked = {"month": f"{clock.now():%Y-%m}", "format": "csv"}
        answer = self.client.post(f"/admin/statements/?wallet={wallet}", asked)
        assert (answer.status_code, answer["Content-Type"][:8]) == (OK, "text/csv")
        return answer.getvalue().decode()


def test_a_customer_from_the_first_request_to_the_report(
    partner: Partner, officer: User, lead: User, ops: User, finance: User, vendors: object
) -> None:
    load_watchlist()
    people = {"officer": officer, "lead": lead, "ops": ops, "finance": finance}

    play(Api(make_client(partner)), {name: Forms(user) for name, user in people.items()})
