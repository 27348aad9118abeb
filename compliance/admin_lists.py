"""Watch lists as they were delivered, and customers whom nobody could compare."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from compliance import queries
from compliance.choices import NotScreenedReason, SubjectState, VersionStatus
from compliance.models.screening import ListVersion, ScreeningRun, ScreeningSubject
from compliance.operations import screening
from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Main, Tone, When, words
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.site import register
from flowlet.identity.models import Customer

VERSION_TONES: dict[str, Tone] = {
    VersionStatus.LIVE: "ok",
    VersionStatus.REFUSED: "bad",
    VersionStatus.STAGED: "info",
}


def version_badge(version: ListVersion) -> Badge:
    """Return the state of a delivery."""
    return Badge(version.get_status_display(), VERSION_TONES.get(version.status, ""))


def _changes(version: ListVersion) -> str:
    if version.refusals:
        return str(version.refusals[0])
    return ", ".join(f"{number:,} {name}" for name, number in version.changes.items() if number)


@register(ListVersion)
class ListVersionAdmin(ModelAdmin):
    """Every delivery of every list: taken into use, replaced, or refused and why."""

    path, title, group, icon, nav_order = "lists", "Watch lists", "Compliance", "list-checks", 30
    summary = "Each delivery, newest first; a refused one changes nothing"
    related = ("source",)
    list_order = ("-staged_at", "-pk")
    views = (
        View(key="all", title="All"),
        View(key="live", title="In use", condition=Q(status=VersionStatus.LIVE)),
        View(key="refused", title="Refused", condition=Q(status=VersionStatus.REFUSED)),
    )
    columns = (
        Column(title="List", cell=lambda version: Main(version.source.title, version.public_id, mono=True)),
        Column(
            title="Entities",
            cell=lambda v: f"{v.counts['entities']:,}" if v.counts else "",
            width="s",
            right=True,
        ),
        Column(title="What changed", cell=_changes, hide="m"),
        Column(title="Status", cell=version_badge, width="s"),
        Column(title="Delivered", cell=lambda version: When(version.staged_at), width="m", right=True),
    )
    empty = (
        "No list yet",
        "Load one with manage.py load_watchlist; until then no new customer can send money.",
    )

    def object_title(self, obj: Any) -> str:
        """Return the list's title."""
        return str(obj.source.title)

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [version_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the delivery, why it was refused, and the re-screening it caused."""
        del request
        delivery = facts_panel(
            "Delivery",
            [
                ("Delivered", When(obj.staged_at)),
                ("In use from", When(obj.live_at)),
                ("Until", When(obj.retired_at) if obj.status == VersionStatus.RETIRED else ""),
                ("Loaded by", obj.loaded_by),
                ("Encoding", obj.encoding),
                ("SHA-256", Code(obj.sha256)),
                ("Unusual size taken because", obj.size_override),
                *((words(name), f"{number:,}") for name, number in obj.counts.items()),
                *((words(name), f"{number:,}") for name, number in obj.changes.items()),
            ],
        )
        refused = facts_panel(
            "Why it was refused", [(str(at), why) for at, why in enumerate(obj.refusals, 1)]
        )
        run = ScreeningRun.objects.filter(version=obj).first()
        screened = [_run_panel(run)] if run else []
        return [*([refused] if obj.refusals else []), delivery, *screened]


def _run_panel(run: ScreeningRun) -> Panel:
    return facts_panel(
        "Customers screened again",
        [
            ("State", Badge(run.get_status_display(), "ok" if run.finished_at else "info")),
            ("Had to be looked at", f"{run.population:,}"),
            ("Were looked at", f"{run.checked:,}"),
            ("Hits opened", f"{run.opened:,}"),
            ("Hits ended", f"{run.closed:,}"),
            ("Finished", When(run.finished_at)),
        ],
        side=True,
    )


def _customer_cell(subject: ScreeningSubject) -> Main:
    href = reverse("admin:identity_customer_change", args=[subject.customer.public_id])
    return Main(subject.customer.name, subject.customer.public_id, mono=True, href=href)


@register(ScreeningSubject)
class NotScreenedAdmin(ModelAdmin):
    """Customers whom nobody could compare with a list: they can receive money but not send any."""

    path, title, group, icon, nav_order = "not-screened", "Not screened", "Compliance", "circle-dashed", 20
    summary = (
        "Customers who could not be compared with a list; they cannot send money until they were looked at"
    )
    view_permission = "compliance.view_screeninghit"
    related = ("customer__partner",)
    detail = False
    list_order = ("customer__created_at", "pk")
    search_by = ("customer__public_id", "customer__name__icontains")
    search_hint = "Name or cus_ id"
    columns = (
        Column(title="Customer", cell=_customer_cell),
        Column(title="Partner", cell=lambda subject: subject.customer.partner.name, width="l", hide="s"),
        Column(title="Why", cell=lambda subject: subject.get_not_screened_reason_display(), width="xl"),
        Column(title="Customer since", cell=lambda s: When(s.customer.created_at), width="m", right=True),
    )
    empty = ("Everybody was screened", "New customers are compared with the lists while they are created.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return those who wait."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(state=SubjectState.NOT_SCREENED)

    def nav_rows(self, person: Person) -> QuerySet[Any] | None:
        """Return those who wait, for the number in the side bar."""
        del person
        return ScreeningSubject.objects.filter(state=SubjectState.NOT_SCREENED)


def _waits_for_a_person(customer: Customer) -> bool:
    subject = queries.find_subject(customer.pk)
    return subject is not None and subject.not_screened_reason == NotScreenedReason.NOTHING_TO_COMPARE


@action(
    name="customer.pass_screening",
    model=Customer,
    permission="compliance.decide_hit",
    label="Pass by hand",
    title=lambda customer: f"Let {customer.name} pass without a comparison?",
    text="The name has no words that a list could be searched for. Say what you looked at instead.",
    reason=False,
    note="required",
    available=_waits_for_a_person,
    icon="user-round-check",
    done=lambda customer: f"{customer.name} was checked by hand.",
    version=lambda customer: str(customer.version),
)
def pass_screening(call: ActionCall, customer: Customer) -> None:
    """Let a customer through after a person looked."""
    screening.pass_by_hand(customer_id=customer.pk, note=call.note, now=call.now)
