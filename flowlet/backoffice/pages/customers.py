"""Customers: the list, the page of one customer that every app adds its panels to, freeze and unfreeze."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cards import FIGURES, Figure, FigureValue
from flowlet.backoffice.cells import Badge, Code, Link, Main, Masked, Tone, When, minute, words
from flowlet.backoffice.charts import CHARTS, Chart, Series, day_labels, days_until
from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel, facts_panel
from flowlet.backoffice.people import Person, initials, person_of
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import FORMATTERS, Sentence, Subject, timeline_panel
from flowlet.core import clock
from flowlet.core.countries import country_name
from flowlet.core.ids import is_id
from flowlet.identity import operations, queries
from flowlet.identity.choices import (
    CustomerKind,
    CustomerStatus,
    RestrictionKind,
    RestrictionSource,
    RiskLevel,
    Tier,
)
from flowlet.identity.models import Customer, Restriction

RISK_TONES: dict[str, Tone] = {"LOW": "", "MEDIUM": "warn", "HIGH": "bad", "PROHIBITED": "bad"}
FREEZE_REASONS = (
    ("CUSTOMER_REQUEST", "The customer asked for it"),
    ("ACCOUNT_TAKEOVER", "Somebody else may have access"),
    ("FRAUD_SUSPECTED", "Suspected fraud"),
    ("COURT_ORDER", "Court or authority order"),
    ("DECEASED", "The customer has died"),
)
UNFREEZE_REASONS = (
    ("IDENTITY_CONFIRMED", "The customer proved who they are"),
    ("CHECKED_NO_FINDING", "Checked, nothing found"),
    ("ORDER_LIFTED", "The order was lifted"),
    ("PLACED_IN_ERROR", "Placed in error"),
)


def restricted() -> Exists:
    """Return the condition that something is in force against the customer."""
    return Exists(Restriction.objects.filter(customer=OuterRef("pk"), lifted_at__isnull=True))


def customer_href(customer: Customer) -> str:
    """Return the address of a customer's page."""
    return reverse("admin:identity_customer_change", args=[customer.public_id])


def _state(customer: Any) -> Badge:
    if customer.status == CustomerStatus.CLOSED:
        return Badge("Closed")
    return Badge("Restricted", "bad") if customer.is_restricted else Badge("Active", "ok")


def _risk(customer: Customer) -> object:
    if customer.risk_level == RiskLevel.LOW:
        return customer.get_risk_level_display()  # the usual case stays quiet
    return Badge(customer.get_risk_level_display(), RISK_TONES.get(customer.risk_level, ""))


@register(Customer)
class CustomerAdmin(ModelAdmin):
    """All customers of all partners; personal data masked."""

    path, title, group, icon, nav_order = "customers", "Customers", "Work", "users", 10
    summary = "People and businesses of all partners"
    related = ("partner",)
    detail_template = "backoffice/customer.html"
    search_by = ("public_id", "reference", "name__icontains")
    search_hint = "Name, reference or cus_ id"
    list_order = ("-created_at", "-id")
    views = (
        View(key="all", title="All"),
        View(key="restricted", title="Restricted", condition=Q(restricted())),
        View(key="risk", title="High risk", condition=Q(risk_level__in=["HIGH", "PROHIBITED"])),
        View(key="closed", title="Closed", condition=Q(status=CustomerStatus.CLOSED)),
    )
    filters = (
        Choice("kind", "Kind", tuple(CustomerKind.choices)),
        Choice("tier", "Tier", tuple(Tier.choices)),
        Choice("risk", "Risk", tuple(RiskLevel.choices), lookup="risk_level"),
        DateSpan("created", "Created", lookup="created_at"),
    )
    columns = (
        Column(title="Customer", cell=lambda c: Main(c.name, c.public_id, mono=True), order="name"),
        Column(title="Partner", cell=lambda c: c.partner.name, width="m", hide="s"),
        Column(title="Country", cell=lambda c: country_name(c.country), width="m", hide="s"),
        Column(title="Tier", cell=lambda c: c.get_tier_display(), width="s", hide="m"),
        Column(title="Risk", cell=_risk, width="s"),
        Column(title="State", cell=_state, width="s"),
        Column(title="Created", cell=lambda c: When(c.created_at), width="m", right=True, order="created_at"),
    )
    empty = ("No customers yet", "Partners create customers through the API.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return customers with whether anything is in force against them."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(is_restricted=restricted())
        return rows

    def object_title(self, obj: Any) -> str:
        """Return the customer's name."""
        return str(obj.name)

    def badges(self, obj: Any) -> list[object]:
        """Return state and risk."""
        return [
            _state(obj),
            Badge(f"{obj.get_risk_level_display()} risk", RISK_TONES.get(obj.risk_level, "")),
        ]

    def object_summary(self, obj: Any) -> str:
        """Return kind, partner and tier."""
        return f"{obj.get_kind_display()} of {obj.partner.name} · {obj.get_tier_display()} tier · {obj.public_id}"

    def more_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return the bar of restrictions and the tabs."""
        known = _panels(person_of(request))
        tabs = list(dict.fromkeys(panel.tab for panel in known))
        current = _tab(request, tabs)
        in_force = list(queries.active_restrictions(customer_id=obj.pk))
        return {
            "restrictions": [_sentence(restriction) for restriction in in_force],
            "frozen": any(restriction.kind == RestrictionKind.FROZEN for restriction in in_force),
            "initials": initials(obj.name) if obj.kind == CustomerKind.PERSON else "",
            "customer_tabs": [(tab, f"?{urlencode({'tab': tab})}", tab == current) for tab in tabs],
        }

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the panels of the chosen tab from every app that has some."""
        person, now = person_of(request), clock.now()
        known = _panels(person)
        current = _tab(request, [panel.tab for panel in known])
        built = [panel.build(obj, person, now) for panel in known if panel.tab == current]
        return [panel for panel in built if panel is not None]


def _panels(person: Person) -> list[CustomerPanel]:
    allowed = [panel for panel in PANELS.values() if person.may(panel.permission)]
    return sorted(
        allowed, key=lambda panel: (TABS.index(panel.tab) if panel.tab in TABS else len(TABS), panel.order)
    )


# Tabs stand in this order; what others name comes between the last two.
TABS = ("Overview", "Money", "Cards", "Identity", "Screening", "Cases", "Limits", "Messages", "Time line")


def _tab(request: HttpRequest, tabs: Sequence[str]) -> str:
    wanted = request.GET.get("tab", "")
    return wanted if wanted in tabs else next(iter(tabs), "")


def _sentence(restriction: Restriction) -> str:
    reach = f" on wallet {restriction.wallet_ref}" if restriction.wallet_ref else ""
    return (
        f"{restriction.get_kind_display()}{reach}: {words(restriction.reason_code).lower()},"
        f" by {_placed_by(restriction)}, {minute(restriction.placed_at)}"
    )


def _placed_by(restriction: Restriction) -> str:
    source = restriction.get_source_display()
    if restriction.source == RestrictionSource.SCREENING:
        return "name screening"  # whoever sent the name has not placed it
    if restriction.placed_by.casefold() == source.casefold():
        return restriction.placed_by
    return f"{restriction.placed_by} ({source.lower()})"


def mask(value: str | None, *, keep: int = 0) -> Masked:
    """Return dots in place of a value, with the last `keep` characters where they identify and do not reveal."""
    if not value:
        return Masked("")
    return Masked(f"••••\N{NO-BREAK SPACE}{value[-keep:]}" if keep and len(value) > keep * 2 else "••••••")


def _data_panel(customer: Customer, _person: Person, _now: datetime) -> Panel:
    facts: list[tuple[str, object]] = [("Reference", Code(customer.reference or ""))]
    if customer.kind == CustomerKind.PERSON:
        facts += [
            ("Birth date", mask(customer.birth_date)),
            ("Nationality", country_name(customer.nationality)),
            ("Lives in", country_name(customer.country)),
        ]
    else:
        facts.append(("Registered in", country_name(customer.country)))
    facts += [
        ("E-mail", mask(customer.email)),
        ("Phone", mask(customer.phone, keep=2)),
        (
            "Partner",
            Link(
                customer.partner.name,
                reverse("admin:identity_partner_change", args=[customer.partner.public_id]),
            ),
        ),
        ("Since", When(customer.created_at)),
    ]
    return facts_panel(
        "Personal data" if customer.kind == CustomerKind.PERSON else "Business data", facts, side=True
    )


def _recent_panel(customer: Customer, person: Person, _now: datetime) -> Panel:
    return timeline_panel(_subject(customer), person, limit=8)


def _timeline_panel(customer: Customer, person: Person, _now: datetime) -> Panel:
    return timeline_panel(_subject(customer), person)


def _subject(customer: Customer) -> Subject:
    return Subject(object_type="customer", object_id=customer.public_id, customer=customer.public_id)


PANELS.register("data")(CustomerPanel(build=_data_panel, permission="identity.view_customer", order=1))
PANELS.register("recent")(CustomerPanel(build=_recent_panel, permission="identity.view_customer", order=99))
PANELS.register("timeline")(
    CustomerPanel(build=_timeline_panel, permission="identity.view_customer", tab="Time line")
)


def _freezable(customer: Customer) -> bool:
    return customer.status != CustomerStatus.CLOSED and not _ops_freezes(customer).exists()


def _ops_freezes(customer: Customer) -> QuerySet[Restriction]:
    return queries.active_restrictions(customer_id=customer.pk).filter(
        kind=RestrictionKind.FROZEN, source=RestrictionSource.OPS, wallet_ref=""
    )


@action(
    name="customer.freeze",
    model=Customer,
    permission="identity.freeze_customer",
    label="Freeze",
    title=lambda c: f"Freeze {c.name}?",
    text="All money of this customer stops at once, in and out. Nothing is lost; it can be lifted.",
    reasons=FREEZE_REASONS,
    available=_freezable,
    danger=True,
    icon="snowflake",
    key="f",
    keep_label="Keep active",
    done=lambda c: f"{c.name} is frozen.",
    version=lambda c: str(c.version),
)
def freeze(call: ActionCall, customer: Customer) -> None:
    """Stop all money of the customer."""
    operations.freeze_customer(customer_id=customer.pk, reason_code=call.reason, note=call.note, now=call.now)


@action(
    name="customer.unfreeze",
    model=Customer,
    permission="identity.unfreeze_customer",
    label="Unfreeze",
    title=lambda c: f"Unfreeze {c.name}?",
    text="Lifts the freeze that operations placed. What screening or compliance placed stays in force.",
    reasons=UNFREEZE_REASONS,
    available=lambda c: _ops_freezes(c).exists(),
    icon="lock-open",
    key="u",
    keep_label="Keep frozen",
    done=lambda c: f"{c.name} is no longer frozen by operations.",
    version=lambda c: str(c.version),
)
def unfreeze(call: ActionCall, customer: Customer) -> None:
    """Lift the freezes that operations placed on the customer."""
    for restriction in _ops_freezes(customer):
        operations.lift_restriction(
            restriction_id=restriction.pk, reason_code=call.reason, note=call.note, now=call.now
        )


def _find(term: str, _person: Person) -> Iterable[Found]:
    rows = Customer.objects.select_related("partner")
    exact = is_id(term, "cus")
    found = rows.filter(public_id=term) if exact else rows.filter(Q(name__icontains=term) | Q(reference=term))
    for customer in found.order_by("name", "id")[:5]:
        meta = f"{customer.get_kind_display()} of {customer.partner.name} · {customer.public_id}"
        yield Found(title=customer.name, meta=meta, href=customer_href(customer))


def _wants(term: str) -> bool:
    return len(term) > 1 and (is_id(term, "cus") or "_" not in term)


SEARCH.register("customers")(
    SimpleSource(
        title="Customers",
        icon="users",
        permission="identity.view_customer",
        find=_find,
        wants=_wants,
        order=10,
    )
)


def _customers_figure(_person: Person, now: datetime) -> FigureValue:
    fresh = Customer.objects.filter(created_at__gte=now - timedelta(days=7))
    numbers = count_each({"all": Customer.objects.all(), "fresh": fresh}, ceilings={"all": 100_000})
    return FigureValue(
        value=shown(numbers["all"], ceiling=100_000), note=f"{shown(numbers['fresh'])} new in the last 7 days"
    )


def _restricted_figure(_person: Person, _now: datetime) -> FigureValue:
    rows = Customer.objects.filter(restricted())
    frozen = Restriction.objects.filter(lifted_at__isnull=True, kind=RestrictionKind.FROZEN, wallet_ref="")
    numbers = count_each({"rows": rows, "frozen": frozen})
    return FigureValue(value=shown(numbers["rows"]), note=f"{shown(numbers['frozen'])} frozen")


FIGURES.register("customers")(
    Figure(
        title="Customers",
        permission="identity.view_customer",
        icon="users",
        value=_customers_figure,
        href=lambda: reverse("admin:identity_customer_changelist"),
        order=80,
    )
)
FIGURES.register("restricted")(
    Figure(
        title="Restricted customers",
        permission="identity.view_customer",
        icon="snowflake",
        value=_restricted_figure,
        href=lambda: f"{reverse('admin:identity_customer_changelist')}?view=restricted",
        order=40,
    )
)


def _new_customers(_person: Person, now: datetime) -> tuple[Sequence[str], Sequence[Series]]:
    days = days_until(now)
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=len(days) - 1)
    counted = (
        Customer.objects.filter(created_at__gte=since)
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values("day", "kind")
        .annotate(number=Count("pk"))
        .values_list("day", "kind", "number")
    )
    numbers = {(day, kind): number for day, kind, number in counted}
    series = [
        Series(name, [numbers.get((day, kind), 0) for day in days])
        for kind, name in (("PERSON", "People"), ("BUSINESS", "Businesses"))
    ]
    return day_labels(days), series


CHARTS.register("customers")(
    Chart(
        title="New customers",
        permission="identity.view_customer",
        note="By day, the last 14 days, UTC.",
        series=_new_customers,
        order=90,
    )
)


def _restriction_text(record: AuditRecord) -> Sentence:
    frozen = '"FROZEN"' in record.changes
    detail = f"Reason: {words(record.reason_code).lower()}"
    if record.action == "customer.restrict":
        text = "Customer frozen" if frozen else "Customer restricted"
        return Sentence(text=text, icon="snowflake", tone="bad", detail=detail)
    text = "Freeze lifted" if frozen else "Restriction lifted"
    return Sentence(text=text, icon="lock-open", tone="ok", detail=detail)


FORMATTERS.register("customer.restrict")(_restriction_text)
FORMATTERS.register("customer.release")(_restriction_text)
FORMATTERS.register("customer.create")(
    lambda _record: Sentence(text="Customer created", icon="users", tone="info")
)
