"""Identity files of the demo's customers: most passed by policy, some decided by officers, a dozen waiting, each for a reason."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from compliance import queries_kyc
from compliance.choices import PENDING_STATUSES
from compliance.choices_kyc import KycState, Purpose
from compliance.documents.form import Form
from compliance.models.kyc import KycApplication, KycDocument
from compliance.models.screening import ScreeningHit
from compliance.operations.kyc import add_document, submit_kyc
from compliance.operations.kyc_decisions import decide_kyc
from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.people import Person
from flowlet.demo.people import DESKS
from flowlet.demo.specimens import Specimen, draw_identity, draw_letter
from flowlet.identity.models import ApiClient, Customer, Restriction, User

_SEED = 4711
_STREETS = ("Lindenweg", "Harbour Street", "Via Roma", "Rue des Lilas", "Storgata", "Kastanienallee")
_CITIES = ("Oslo", "Bremen", "Leeds", "Nantes", "Parma", "Basel")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """
    One file: how long ago it was handed in, what is odd about it, and how it ended.

    `trouble` names the oddity, '' for none; `outcome` and `reason` are an officer's, '' when nobody has decided.
    """

    hours_ago: float
    tier: str = "STANDARD"
    card: bool = False
    trouble: str = ""
    outcome: str = ""
    reason: str = ""
    note: str = ""


_WAITING = (
    _Story(hours_ago=27, trouble="name"),
    _Story(hours_ago=24, trouble="birth"),
    _Story(hours_ago=9, trouble="expired"),
    _Story(hours_ago=7.5, trouble="ends_soon"),
    _Story(hours_ago=6, trouble="no_zone"),
    _Story(hours_ago=5, trouble="digit"),
    _Story(hours_ago=4, trouble="copied"),
    _Story(hours_ago=3.5, trouble="raised"),
    _Story(hours_ago=3, trouble="exposed"),
    _Story(hours_ago=2, tier="PLUS"),
    _Story(hours_ago=1.2, tier="PLUS", card=True),
    _Story(hours_ago=0.5, trouble="listed"),
)
_DECIDED = (
    _Story(
        hours_ago=110,
        trouble="name",
        outcome="APPROVED",
        reason="DIFFERENCE_EXPLAINED",
        note="Married in spring; certificate seen.",
    ),
    _Story(hours_ago=150, trouble="ends_soon", outcome="APPROVED", reason="DOCUMENT_AGREES"),
    _Story(hours_ago=200, tier="PLUS", outcome="APPROVED", reason="DOCUMENT_AGREES"),
    _Story(
        hours_ago=260,
        trouble="digit",
        outcome="REJECTED",
        reason="FORGED",
        note="The zone was altered: the composite digit does not fit, and the type is another one.",
    ),
    _Story(
        hours_ago=300,
        trouble="expired",
        outcome="REJECTED",
        reason="NOT_SUPPORTED",
        note="Sent the same expired document three times.",
    ),
    _Story(hours_ago=50, trouble="no_zone", outcome="INFORMATION_NEEDED", reason="PICTURE_UNREADABLE"),
    _Story(hours_ago=70, trouble="expired", outcome="INFORMATION_NEEDED", reason="DOCUMENT_EXPIRED"),
    _Story(hours_ago=31, tier="PLUS", outcome="INFORMATION_NEEDED", reason="ADDRESS_NOT_PROVEN"),
)
_DRAFTS = (_Story(hours_ago=20, trouble="draft"), _Story(hours_ago=2, trouble="draft"))


def fill(*, now: datetime) -> int:
    """
    Make about forty identity files of the demo's persons, and return how many; the demo's customers must be there.

    Everything goes through the operations, as the customers' partners and as the demo's officers. The same customers and
    the same `now` give the same files.
    """
    rng = random.Random(_SEED)  # noqa: S311 - a story, not a secret
    by_policy = [_Story(hours_ago=330 + 60 * number, card=number % 9 == 0) for number in range(19)]
    stories = [*_WAITING, *_DECIDED, *_DRAFTS, *by_policy]  # where people are few, what waits comes first
    told = sorted(zip(stories, _matched(stories, _people(len(stories), now)), strict=False), key=_by_age)
    officer = Person(User.objects.get(email=DESKS[0].email)).actor
    clients = {client.partner_id: client for client in ApiClient.objects.order_by("-pk")}
    done = 0
    for story, customer in told:
        if customer is None or queries_kyc.find_open(customer.pk) is not None:
            continue
        client = clients[customer.partner_id]
        at = max(now - timedelta(hours=story.hours_ago), customer.created_at + timedelta(hours=1))
        with acting(Actor("CLIENT", client.public_id, client.name), partner_id=customer.partner_id):
            application = _hand_in(story, customer, rng, at)
        if story.outcome and application.state == KycState.IN_REVIEW:
            with acting(officer):
                decide_kyc(
                    application_id=application.public_id,
                    outcome=story.outcome,
                    reason_code=story.reason,
                    note=story.note,
                    now=min(now, at + timedelta(hours=rng.uniform(1, 7))),
                )
        done += 1
    return done


def _by_age(told: tuple[_Story, Customer | None]) -> float:
    return -told[0].hours_ago


def _people(count: int, now: datetime) -> list[Customer]:
    """Return persons without a possible match who are there long enough, the newest last; always the same."""
    matched = ScreeningHit.objects.values("customer_id")
    rows = Customer.objects.filter(kind="PERSON", status="ACTIVE", created_at__lt=now - timedelta(days=3))
    stopped = Restriction.objects.filter(lifted_at__isnull=True).values("customer_id")
    rows = rows.exclude(pk__in=matched).exclude(pk__in=stopped).exclude(tier="PLUS")
    found = list(rows.order_by("created_at", "reference", "pk"))
    return found[:: max(1, len(found) // count)][:count]


def _matched(stories: Sequence[_Story], people: Sequence[Customer]) -> Iterator[Customer | None]:
    """Give each story a person; the listed one goes to somebody with a possible match that waits."""
    listed = (
        ScreeningHit.objects.filter(status__in=PENDING_STATUSES, customer__kind="PERSON")
        .exclude(customer__tier="PLUS")
        .select_related("customer")
        .order_by("-opened_at", "-pk")
        .first()
    )
    others = iter(people)
    for story in stories:
        yield (listed.customer if listed else None) if story.trouble == "listed" else next(others, None)


def _hand_in(story: _Story, customer: Customer, rng: random.Random, at: datetime) -> KycApplication:
    drawn = _form(story, customer, rng, at.date())
    application = submit_kyc(customer_id=customer.pk, tier=story.tier, form=_said(story, drawn), now=at)
    if story.trouble == "draft":
        return application
    purposes = (Purpose.IDENTITY_FRONT, Purpose.IDENTITY_BACK)
    for step, (purpose, side) in enumerate(
        zip(purposes, _sides(story, drawn, customer, rng), strict=False), 1
    ):
        add_document(
            customer_id=customer.pk,
            purpose=purpose,
            data=side.jpeg,
            zone_lines=_zone(story, side.zone),
            now=at + step * _MINUTE,
        )
    if story.tier == "PLUS":
        letter = draw_letter(drawn, seed=f"letter-{drawn.document_number}", on=at.date() - timedelta(days=20))
        add_document(
            customer_id=customer.pk,
            purpose=Purpose.PROOF_OF_ADDRESS,
            data=letter.jpeg,
            now=at + 3 * _MINUTE,
        )
    application.refresh_from_db()
    return application


def _form(story: _Story, customer: Customer, rng: random.Random, today: date) -> Form:
    """Return what the customer's document says."""
    lasts = {"expired": -40, "ends_soon": 19}.get(story.trouble, rng.randint(400, 3_200))
    home = "VN" if story.trouble == "raised" else customer.nationality or customer.country
    born = date.fromisoformat(customer.birth_date) if customer.birth_date else date(1984, 6, 1)
    return Form(
        given_name=customer.given_name,
        family_name=customer.family_name,
        birth_date=born,
        nationality=home,
        residence=customer.country,
        address=f"{rng.choice(_STREETS)} {rng.randint(1, 120)}",
        city=rng.choice(_CITIES),
        postal_code=str(rng.randint(10_000, 99_999)),
        document_type="ID_CARD" if story.card else "PASSPORT",
        document_country=home,
        document_number=f"{rng.choice('CFGHJKLM')}{rng.randint(1_000_000, 9_999_999)}",
        document_expiry=today + timedelta(days=lasts),
        politically_exposed=story.trouble == "exposed",
    )


def _said(story: _Story, drawn: Form) -> Form:
    """Return what the form says: the document's data, or with the story's difference."""
    if story.trouble == "name":
        return replace(drawn, family_name=f"{drawn.family_name}-Halvorsen")
    if story.trouble == "birth":
        return replace(drawn, birth_date=drawn.birth_date + timedelta(days=31))
    return drawn


def _zone(story: _Story, zone: str) -> str:
    if story.trouble == "no_zone":
        return ""
    if story.trouble == "digit" and zone:
        return zone[:-1] + str((int(zone[-1]) + 3) % 10)
    return zone


def _sides(story: _Story, form: Form, customer: Customer, rng: random.Random) -> list[Specimen]:
    """Draw the document; the copied one is somebody else's picture, sent once more."""
    if story.trouble == "copied":
        others = KycDocument.objects.filter(purpose=Purpose.IDENTITY_FRONT).exclude(customer=customer)
        first = others.order_by("id").first()
        if first is not None:
            return [Specimen(queries_kyc.open_original(first), first.mrz or "")]
    return draw_identity(form, seed=f"{rng.random()}", blur=2.6 if story.trouble == "no_zone" else 0)
