"""The pages of compliance as the people see them who use them: what is shown, to whom, and what a press does."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from compliance.admin import hit_href, queue_href
from compliance.comparison import marked_names
from compliance.models.screening import HitDecision, ListVersion, ScreeningHit
from compliance.names.align import score_names
from compliance.names.normal import normal_name
from compliance.operations.screening import decide_hit
from flowlet.audit.models import AuditRecord
from flowlet.backoffice import access
from flowlet.core import clock
from flowlet.identity.models import Customer, User
from flowlet.identity.operations import create_user
from flowlet.identity.queries import active_restrictions

Make = Callable[..., Customer]


def at(client: Client, href: str) -> str:
    """Return the page as text."""
    answer = client.get(href)
    assert answer.status_code == 200
    return str(answer.content.decode())


def logged_in(client: Client, person: User) -> Client:
    """Put the person behind the client, as the log-in page does after it has checked everything."""
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[access.STARTED] = clock.now().isoformat()
    session[access.VERSION] = person.security_version
    session.save()
    return client


@pytest.fixture
def desk(client: Client, officer: User) -> Client:
    """The browser of an officer who is logged in."""
    return logged_in(client, officer)


@pytest.fixture
def support(client: Client, db: None) -> Client:
    person = create_user(
        email="tom@house.example", full_name="Tom Hale", password="correct-horse-battery", roles=["support"]
    )
    return logged_in(client, person)


def form(page: str) -> dict[str, str]:
    """Return the hidden fields of the page's decision form."""
    found = re.findall(r'<input type="hidden" name="(form_id|version)" value="([^"]+)"', page)
    return dict(found)


def test_the_queue_shows_what_waits_with_reason_score_and_list(desk: Client, suspect: Customer) -> None:
    page = at(desk, queue_href())

    for shown in (
        "Ousmane Illiassou Djibo",
        "OFAC SDN list",
        "Same name, close birth date",
        "100.0 %",
        "Open",
    ):
        assert shown in page


def test_the_queue_is_first_due_first_and_has_an_overdue_tab(
    desk: Client, live_list: ListVersion, new_customer: Make
) -> None:
    new_customer("Ratko", "Mladic")
    new_customer("Gerhard", "Wisser")
    late, later = ScreeningHit.objects.order_by("pk")
    ScreeningHit.objects.filter(pk=late.pk).update(
        due_at=datetime.now(tz=late.due_at.tzinfo) + timedelta(hours=2)
    )

    everything, overdue = at(desk, queue_href()), at(desk, f"{queue_href()}?view=overdue")

    assert everything.index("Gerhard Wisser") < everything.index("Ratko Mladic")
    assert "Gerhard Wisser" in overdue
    assert "Ratko Mladic" not in overdue
    assert later.customer.name == "Gerhard Wisser"


def test_the_page_of_a_hit_compares_line_by_line_and_the_shares_add_up(
    desk: Client, suspect: Customer
) -> None:
    hit = ScreeningHit.objects.get()

    page = at(desk, hit_href(hit))

    shares = [round(float(text) * 100) for text in re.findall(r'class="share">([+\d.]+)<', page)]
    assert sum(shares) == hit.points
    for shown in ("2 May 1984", "1984", "Niger", "I-n-Arabane, Mali", "Male", "CHAPORI", "SDGT", "Not known"):
        assert shown in page
    assert page.count('name="reason"') == 5


def test_clearing_takes_one_form_lifts_the_restriction_and_opens_the_next_hit(
    desk: Client, suspect: Customer, new_customer: Make
) -> None:
    new_customer("Gerhard", "Wisser")
    hit, following = ScreeningHit.objects.order_by("pk")
    fields = form(at(desk, hit_href(hit)))

    answer = desk.post(
        f"/admin/do/hit.clear/{hit.public_id}/", {**fields, "reason": "COMMON_NAME", "note": ""}
    )

    hit.refresh_from_db()
    assert answer.status_code == 303
    assert answer.headers["Location"] == hit_href(following)
    assert hit.status == "FALSE_POSITIVE"
    assert not active_restrictions(customer_id=suspect.pk).exists()
    assert HitDecision.objects.get().actor_label == "Ilse Marten"


def test_the_queue_opens_when_nothing_waits_any_more(desk: Client, suspect: Customer) -> None:
    hit = ScreeningHit.objects.get()

    answer = desk.post(
        f"/admin/do/hit.clear/{hit.public_id}/", {**form(at(desk, hit_href(hit))), "reason": "COMMON_NAME"}
    )

    assert answer.headers["Location"] == queue_href()
    assert "Nothing" in at(desk, queue_href()) or "No hits" in at(desk, queue_href())


def test_the_same_form_sent_twice_decides_once(desk: Client, suspect: Customer) -> None:
    hit = ScreeningHit.objects.get()
    fields = {**form(at(desk, hit_href(hit))), "reason": "COMMON_NAME"}
    address = f"/admin/do/hit.clear/{hit.public_id}/"

    first, second = desk.post(address, fields), desk.post(address, fields)

    assert (first.status_code, second.status_code) == (303, 303)
    assert HitDecision.objects.count() == 1


def test_clearing_without_a_reason_keeps_the_note_and_says_what_is_missing(
    desk: Client, suspect: Customer
) -> None:
    hit = ScreeningHit.objects.get()

    answer = desk.post(
        f"/admin/do/hit.clear/{hit.public_id}/",
        {**form(at(desk, hit_href(hit))), "note": "Seen his passport"},
    )

    page = answer.content.decode()
    assert answer.status_code < 500
    assert "Seen his passport" in page
    assert "Choose a reason" in page
    assert not HitDecision.objects.exists()


def test_a_hit_that_a_colleague_decided_meanwhile_is_not_decided_again(
    desk: Client, suspect: Customer, as_officer: User, now: datetime
) -> None:
    hit = ScreeningHit.objects.get()
    fields = {**form(at(desk, hit_href(hit))), "reason": "COMMON_NAME", "note": "Mine"}
    decide_hit(hit_id=hit.public_id, outcome="TRUE_MATCH", reason_code="SAME_FACTS", note="Sure.", now=now)

    answer = desk.post(f"/admin/do/hit.clear/{hit.public_id}/", fields)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Ilse Marten" in page
    assert "Mine" in page
    assert HitDecision.objects.get().outcome == "TRUE_MATCH"


@pytest.mark.parametrize(
    ("verb", "reason", "status"),
    [("escalate", "NEEDS_LEAD", "ESCALATED"), ("confirm", "SAME_FACTS", "TRUE_MATCH")],
)
def test_the_graver_decisions_ask_first_and_need_words(
    desk: Client, suspect: Customer, verb: str, reason: str, status: str
) -> None:
    hit = ScreeningHit.objects.get()
    address = f"/admin/do/hit.{verb}/{hit.public_id}/"
    fields = {**form(at(desk, address)), "reason": reason}

    silent = desk.post(address, fields)
    spoken = desk.post(address, {**fields, "note": "Looked at the papers."})

    hit.refresh_from_db()
    assert "Say in a few words why" in silent.content.decode()
    assert spoken.status_code == 303
    assert hit.status == status


def test_a_decided_hit_shows_who_decided_and_offers_nothing_more(
    desk: Client, suspect: Customer, as_officer: User, now: datetime
) -> None:
    hit = ScreeningHit.objects.get()
    decide_hit(
        hit_id=hit.public_id, outcome="FALSE_POSITIVE", reason_code="COMMON_NAME", note="Other man.", now=now
    )

    page = at(desk, hit_href(hit))

    assert "Common name, nothing else agrees" in page
    assert "Other man." in page
    assert 'name="reason"' not in page
    assert "True match…" not in page
    assert "2 May 1984" not in page


def test_an_earlier_decision_about_the_same_listing_is_shown_beside(
    desk: Client, suspect: Customer, new_customer: Make, as_officer: User, now: datetime
) -> None:
    first = ScreeningHit.objects.get()
    decide_hit(hit_id=first.public_id, outcome="FALSE_POSITIVE", reason_code="COMMON_NAME", now=now)
    new_customer("Ousmane", "Djibo")

    page = at(desk, hit_href(ScreeningHit.objects.exclude(pk=first.pk).get()))

    assert hit_href(first) in page


def test_who_saw_a_birth_date_is_written_down_once_per_look(desk: Client, suspect: Customer) -> None:
    href = hit_href(ScreeningHit.objects.get())

    at(desk, href)
    at(desk, href)

    record = AuditRecord.objects.get(action="customer.reveal")
    assert (record.customer, record.actor_label) == (suspect.public_id, "Ilse Marten")


@pytest.mark.parametrize("page", ["hits/", "lists/", "not-screened/"])
def test_support_sees_no_page_of_compliance(support: Client, suspect: Customer, page: str) -> None:
    assert support.get(f"/admin/{page}").status_code == 403
    assert support.get(hit_href(ScreeningHit.objects.get())).status_code == 403


def test_support_cannot_decide(support: Client, suspect: Customer) -> None:
    hit = ScreeningHit.objects.get()

    answer = support.post(f"/admin/do/hit.clear/{hit.public_id}/", {"reason": "COMMON_NAME"})

    hit.refresh_from_db()
    assert answer.status_code == 403
    assert hit.status == "OPEN"


def test_support_finds_no_word_of_a_hit_on_the_customer_page_or_in_the_search(
    support: Client, suspect: Customer
) -> None:
    address = f"/admin/customers/{suspect.public_id}/"
    pages = [
        at(support, address),
        at(support, f"{address}?tab=Screening"),
        at(support, f"{address}?tab=Time+line"),
    ]
    pages.append(at(support, "/admin/search/?q=Djibo"))
    pages.append(at(support, "/admin/"))

    text = " ".join(pages)
    assert "DJIBO" not in text
    assert "Possible match" not in text
    assert "hit_" not in text


def test_the_officer_finds_the_hit_on_the_customer_page_the_search_and_today(
    desk: Client, suspect: Customer
) -> None:
    href = hit_href(ScreeningHit.objects.get())

    assert href in at(desk, f"/admin/customers/{suspect.public_id}/?tab=Screening")
    assert href in at(desk, f"/admin/customers/{suspect.public_id}/?tab=Time+line")
    assert href in at(desk, "/admin/search/?q=Djibo")
    assert href in at(desk, f"/admin/search/?q={ScreeningHit.objects.get().public_id}")
    today = at(desk, "/admin/")
    assert href in today
    assert "Open hits" in today
    assert "Watch lists" in today


def test_today_says_when_there_is_no_list(desk: Client) -> None:
    assert "New customers cannot send money" in at(desk, "/admin/")


def test_a_customer_whose_name_cannot_be_compared_is_passed_by_hand(
    desk: Client, live_list: ListVersion, new_customer: Make
) -> None:
    customer = new_customer("\u2603", "\u2603")
    waiting = at(desk, "/admin/not-screened/")
    address = f"/admin/do/customer.pass_screening/{customer.public_id}/"

    answer = desk.post(address, {**form(at(desk, address)), "note": "Passport seen."})

    assert customer.public_id in waiting
    assert answer.status_code == 303
    assert customer.public_id not in at(desk, "/admin/not-screened/")
    assert not active_restrictions(customer_id=customer.pk).exists()


def test_a_refused_delivery_shows_why(desk: Client, live_list: ListVersion, now: datetime) -> None:
    refused = ListVersion.objects.create(
        source=live_list.source,
        sha256="0" * 64,
        loaded_by="Nightly job",
        staged_at=now,
        status="REFUSED",
        refusals=["sdn.csv line 7: 3 columns, expected 12"],
    )

    assert "sdn.csv line 7" in at(desk, "/admin/lists/?view=refused")
    assert "sdn.csv line 7" in at(desk, f"/admin/lists/{refused.public_id}/")
    assert "209" in at(desk, f"/admin/lists/{live_list.public_id}/")


@pytest.mark.parametrize(
    "href", ["/admin/hits/hit_0/", "/admin/hits/%00/", "/admin/lists/x/", "/admin/hits/?view=x&o=-1"]
)
def test_addresses_that_make_no_sense_are_no_errors(desk: Client, db: None, href: str) -> None:
    assert desk.get(href).status_code in (200, 404)


def test_the_pages_stay_within_their_budget_of_queries(
    desk: Client, live_list: ListVersion, new_customer: Make, django_assert_max_num_queries: Any
) -> None:
    for name in ("Mladic", "Mladich", "Mladik"):
        new_customer("Ratko", name)
    href = hit_href(ScreeningHit.objects.order_by("pk")[0])
    at(desk, href)

    with django_assert_max_num_queries(12):
        at(desk, queue_href())
    with django_assert_max_num_queries(20):
        at(desk, href)


def test_hostile_names_are_shown_as_text(desk: Client, live_list: ListVersion, new_customer: Make) -> None:
    customer = new_customer("<script>alert(1)</script>", "Gerhard Wisser")
    hit = ScreeningHit.objects.filter(customer=customer).first()

    pages = [at(desk, queue_href()), at(desk, f"/admin/customers/{customer.public_id}/")]
    pages += [at(desk, hit_href(hit))] if hit else []

    assert not any("<script>alert" in page for page in pages)


@pytest.mark.parametrize(
    ("ours", "listed", "marked"),
    [
        ("Gerard Wisser", "Gerhard WISSER", ["h"]),
        ("Gerhard Emil Wisser", "Gerhard WISSER", ["Emil"]),
        ("Gerhard Wisser", "Gerhard WISSER", []),
        ("Гергард Виссер", "Gerhard WISSER", ["Гергард", "Виссер", "h", "W"]),
    ],
)
def test_letters_and_words_that_are_not_alike_are_marked(ours: str, listed: str, marked: list[str]) -> None:
    score = score_names(normal_name(ours), normal_name(listed))
    words = [{"ours": w.ours, "listed": w.listed, "how": w.how} for w in score.shares]

    both = " ".join(marked_names(ours, listed, words))

    assert re.findall(r'<mark class="unlike">([^<]+)</mark>', both) == marked
    assert re.sub(r"<[^>]+>", "", both) == f"{ours} {listed}"
