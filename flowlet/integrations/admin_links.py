"""Banks that customers linked, in the back office: which, since when, and whether money can be drawn. Never a token."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Link, Main, Masked, Tone, When
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import Subject, say, timeline_panel
from flowlet.integrations.choices import LinkStatus, OwnerMatch
from flowlet.integrations.models import BankLink, LinkedAccount

LINK_TONES: dict[str, Tone] = {
    LinkStatus.ACTIVE: "ok",
    LinkStatus.BROKEN: "warn",
    LinkStatus.REMOVING: "info",
    LinkStatus.FAILED: "bad",
}
MATCH_TONES: dict[str, Tone] = {
    OwnerMatch.MATCH: "ok",
    OwnerMatch.CLOSE_MATCH: "ok",
    OwnerMatch.NO_MATCH: "bad",
    OwnerMatch.NOT_POSSIBLE: "warn",
}
_DOTS = "\N{BULLET}" * 4


def _status(link: BankLink) -> Badge:
    return Badge(link.get_status_display(), LINK_TONES.get(link.status, ""))


def _bank(link: BankLink) -> Main:
    return Main(link.institution or "Bank", link.public_id, mono=True)


def _customer(link: BankLink) -> Link:
    customer = link.customer
    return Link(customer.name, reverse("admin:identity_customer_change", args=[customer.public_id]))


def _match(account: LinkedAccount) -> Badge:
    score = "" if account.owner_score is None else f" ({account.owner_score})"
    return Badge(f"{account.get_owner_match_display()}{score}", MATCH_TONES.get(account.owner_match, ""))


@register(BankLink)
class BankLinkAdmin(ModelAdmin):
    """Linked banks, newest first."""

    path, title, group, icon, nav_order = "bank-links", "Linked banks", "Money", "landmark", 60
    summary = "Banks that customers let us draw from, through Plaid"
    related = ("customer", "partner")
    list_order = ("-created_at", "-id")
    search_by = ("public_id", "vendor_reference", "customer__public_id", "accounts__public_id")
    search_hint = "blk_, lac_ or cus_ id"
    views = (
        View(key="all", title="All", counted=False),
        View(key="active", title="Linked", condition=Q(status=LinkStatus.ACTIVE), counted=False),
        View(key="broken", title="Log-in needed", condition=Q(status=LinkStatus.BROKEN)),
        View(key="failed", title="Failed", condition=Q(status=LinkStatus.FAILED), counted=False),
    )
    filters = (
        Choice("status", "State", tuple(LinkStatus.choices)),
        DateSpan("created", "Linked", lookup="created_at"),
    )
    columns = (
        Column(title="Bank", cell=_bank),
        Column(title="Customer", cell=_customer, width="l"),
        Column(title="Partner", cell=lambda link: link.partner.name, width="m", hide="m"),
        Column(title="State", cell=_status, width="m"),
        Column(title="Linked", cell=lambda link: When(link.created_at), width="m", right=True, hide="s"),
    )
    empty = ("No bank is linked yet", "Partners let their customers link banks through the API.")

    def object_title(self, obj: Any) -> str:
        """Return the bank's name."""
        return obj.institution or "Bank"

    def object_summary(self, obj: Any) -> str:
        """Return whose it is."""
        return f"{obj.customer.name} · {obj.partner.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return its state."""
        return [_status(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the accounts, what is known of the link, and the time line."""
        held = obj.status in (LinkStatus.ACTIVE, LinkStatus.BROKEN, LinkStatus.REMOVING)
        facts: list[tuple[str, object]] = [
            ("Customer", _customer(obj)),
            ("Partner", obj.partner.name),
            ("Plaid's item", Code(obj.vendor_reference)),
            ("Access token", Masked("Held, shown to nobody" if held else "")),
            ("Reason", Code(obj.reason)),
            ("Linked", When(obj.created_at)),
            ("Unlinked", When(obj.removed_at)),
        ]
        accounts = table_panel(
            "Accounts",
            columns=(
                Column(title="Account", cell=lambda a: Main(a.name, a.public_id, mono=True)),
                Column(title="Number", cell=lambda a: Masked(f"{_DOTS} {a.mask}" if a.mask else "")),
                Column(title="Currency", cell=lambda a: a.currency, width="s", hide="s"),
                Column(title="Owner", cell=_match, width="l"),
            ),
            rows=list(obj.accounts.order_by("pk")),
            empty=("No account was read yet", "They are read when the partner asks again."),
        )
        return [
            accounts,
            timeline_panel(Subject(object_type="bank_link", object_id=obj.public_id), person_of(request)),
            facts_panel("Details", facts, side=True),
        ]


say("bank_link.create", "Bank linked", "landmark", "ok")
say("bank_link.change", "State of the link changed", "landmark", "info")
say("bank_link.remove", "Bank unlinked", "landmark")
say("vendor_event.retry", "Vendor's event tried again", "refresh-cw")
say("webhook.refuse", "Webhook refused", "ban", refused="Webhook refused")
