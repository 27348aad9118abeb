"""Partners, people who log in and API clients: lists and pages to read, and the time zone of a partner to set."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Link, Main, When, words
from flowlet.backoffice.filters import Choice
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, say, timeline_panel
from flowlet.core.countries import country_name
from flowlet.identity.models import ApiClient, ApiClientSecret, Partner, User
from flowlet.identity.operations import set_time_zone


def _status(obj: Any) -> Badge:
    return Badge(obj.get_status_display(), "ok" if obj.status == "ACTIVE" else "bad")


def _roles(user: User) -> str:
    if user.is_superuser:
        return "Superuser"
    return ", ".join(words(group.name) for group in user.groups.all())


def _client_href(client: ApiClient) -> str:
    return reverse("admin:identity_apiclient_change", args=[client.public_id])


@register(Partner)
class PartnerAdmin(ModelAdmin):
    """The companies that embed Flowlet."""

    path, title, group, icon, nav_order = "partners", "Partners", "Control", "building-2", 30
    summary = "The companies whose customers we serve"
    search_by = ("public_id", "name__icontains")
    search_hint = "Name or prt_ id"
    list_order = ("name", "id")
    columns = (
        Column(title="Partner", cell=lambda p: Main(p.name, p.public_id, mono=True), order="name"),
        Column(title="Country", cell=lambda p: country_name(p.country), width="l"),
        Column(title="State", cell=_status, width="m"),
        Column(title="Since", cell=lambda p: When(p.created_at), width="m", right=True, order="created_at"),
    )

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [_status(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the partner's clients and time line."""
        person = person_of(request)
        clients = table_panel(
            "API clients",
            columns=CLIENT_COLUMNS,
            rows=list(obj.api_clients.order_by("name", "id")[:25]),
            link=_client_href if person.may("identity.view_apiclient") else None,
            empty=("No API clients", "Without one, this partner cannot call the API."),
            empty_icon="key-round",
        )
        facts = facts_panel(
            "Partner",
            [
                ("Name", obj.name),
                ("Country", country_name(obj.country)),
                ("Time zone", obj.time_zone),
                ("Since", When(obj.created_at)),
            ],
            side=True,
        )
        subject = Subject(object_type="partner", object_id=obj.public_id)
        return [clients, timeline_panel(subject, person), facts]


class TimeZoneForm(forms.Form):
    """Where days begin."""

    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(available_timezones())],
        widget=forms.Select({"class": "input"}),
    )


@action(
    name="partner.set_time_zone",
    model=Partner,
    permission="identity.change_partner",
    label="Set time zone",
    title=lambda partner: f"Where do the days of {partner.name} begin?",
    text=lambda partner: f"Now {partner.time_zone}.",
    reasons=(
        ("CONTRACT", "As agreed with the partner"),
        ("MOVED", "The partner's programme has moved"),
        ("MISTAKE", "The zone was a mistake"),
    ),
    impact=lambda _: [
        "Limits of a day and of a month count by the new days from the next movement on",
        "What was moved before keeps the day it was counted for",
    ],
    form=TimeZoneForm,
    icon="clock",
    done=lambda partner: f"The days of {partner.name} begin by {partner.time_zone}.",
)
def _set_time_zone(call: ActionCall, partner: Partner) -> None:
    set_time_zone(
        partner_id=partner.pk,
        time_zone=call.data["time_zone"],
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


CLIENT_COLUMNS = (
    Column(title="Client", cell=lambda c: Main(c.name, c.client_id, mono=True)),
    Column(title="Scopes", cell=lambda c: ", ".join(c.scopes), width="xl", hide="m"),
    Column(title="State", cell=_status, width="s"),
    Column(title="Since", cell=lambda c: When(c.created_at), width="m", right=True),
)


@register(ApiClient)
class ApiClientAdmin(ModelAdmin):
    """The partners' programs; secrets are hashes and never shown."""

    path, title, group, icon, nav_order = "api-clients", "API clients", "Control", "key-round", 40
    summary = "Programs of partners that call the API"
    related = ("partner",)
    search_by = ("client_id", "public_id", "name__icontains")
    search_hint = "Name or client id"
    list_order = ("-created_at", "-id")
    filters = (Choice("status", "State", tuple(ApiClient.Status.choices)),)
    columns = (
        Column(title="Client", cell=lambda c: Main(c.name, c.client_id, mono=True), order="name"),
        Column(title="Partner", cell=lambda c: c.partner.name, width="l", hide="s"),
        Column(title="Scopes", cell=lambda c: f"{len(c.scopes)}", width="s", right=True, hide="m"),
        Column(title="State", cell=_status, width="s"),
        Column(title="Since", cell=lambda c: When(c.created_at), width="m", right=True, order="created_at"),
    )

    def object_title(self, obj: Any) -> str:
        """Return the client's name."""
        return str(obj.name)

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [_status(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return scopes, secrets by their hint, and the time line."""
        secrets = table_panel(
            "Secrets",
            columns=SECRET_COLUMNS,
            rows=list(ApiClientSecret.objects.filter(client=obj).order_by("-valid_from", "-id")),
            empty=("No secrets", "The client cannot ask for a token."),
        )
        partner_href = reverse("admin:identity_partner_change", args=[obj.partner.public_id])
        facts = facts_panel(
            "Client",
            [
                ("Client id", Code(obj.client_id)),
                ("Partner", Link(obj.partner.name, partner_href)),
                ("Scopes", ", ".join(obj.scopes)),
                ("Expires", When(obj.expires_at)),
                ("Since", When(obj.created_at)),
            ],
            side=True,
        )
        subject = Subject(object_type="api_client", object_id=obj.public_id)
        return [secrets, timeline_panel(subject, person_of(request)), facts]


SECRET_COLUMNS = (
    Column(title="Secret", cell=lambda s: Code(f"…{s.hint}")),
    Column(title="From", cell=lambda s: When(s.valid_from), width="m"),
    Column(title="Until", cell=lambda s: When(s.valid_to), width="m"),
    Column(title="Used", cell=lambda s: When(s.used_at), width="m", right=True),
)


@register(User)
class UserAdmin(ModelAdmin):
    """Everyone who can log in: the house's staff and partners' users."""

    path, title, group, icon, nav_order = "users", "People and roles", "Control", "user-cog", 20
    summary = "Everyone who can log in"
    related = ("partner",)
    search_by = ("public_id", "email__icontains", "full_name__icontains")
    search_hint = "Name or e-mail"
    list_order = ("full_name", "id")
    views = (
        View(key="staff", title="Staff", condition=Q(is_staff=True)),
        View(key="partners", title="Partners' users", condition=Q(is_staff=False)),
        View(key="off", title="Switched off", condition=Q(is_active=False)),
    )
    columns = (
        Column(title="Person", cell=lambda u: Main(u.full_name or u.email, u.email), order="full_name"),
        Column(title="Roles", cell=_roles, width="l"),
        Column(title="Partner", cell=lambda u: u.partner.name if u.partner else "House", width="l", hide="s"),
        Column(
            title="State",
            cell=lambda u: Badge("Active", "ok") if u.is_active else Badge("Switched off"),
            width="s",
        ),
        Column(title="Latest log-in", cell=lambda u: When(u.last_login), width="m", right=True),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return people with their roles, by one more query."""
        return super().get_queryset(request).prefetch_related("groups")

    def badges(self, obj: Any) -> list[object]:
        """Return whether the person can log in."""
        return [Badge("Active", "ok") if obj.is_active else Badge("Switched off")]

    def object_summary(self, obj: Any) -> str:
        """Return the log-in."""
        return str(obj.email)

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return roles and the time line of the account."""
        facts = facts_panel(
            "Account",
            [
                ("E-mail", obj.email),
                ("Roles", _roles(obj)),
                ("Belongs to", obj.partner.name if obj.partner else "The house"),
                ("Latest log-in", When(obj.last_login)),
                ("Since", When(obj.created_at)),
            ],
            side=True,
        )
        subject = Subject(object_type="user", object_id=obj.public_id)
        return [timeline_panel(subject, person_of(request)), facts]


say("partner.create", "Partner created", "building-2", "info")
say("partner.set_time_zone", "Time zone of the partner set", "clock")
say("user.create", "Account created", "user", "info")
say("user.log_in", "Logged in", "key-round")
say("user.log_out", "Logged out", "log-out")
say("api_client.create", "API client created", "key-round", "info")
say("session.open", "Logged in to the developers' pages", "key-round")
say("session.revoke", "Log-in ended", "log-out", refused="Log-in ended: a used token came again")
say("request.refuse", "Request refused", "ban", refused="API request refused")
say("draft.make", "Draft written", "file-text")
