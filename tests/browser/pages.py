"""Every address of the back office that shows something: each page, each state of an object, each act, on what is there."""

from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import URLPattern, URLResolver, reverse

from analytics.dashboards.base import DASHBOARDS
from compliance.models.cases import Case
from compliance.models.kyc import KycDocument
from flowlet.backoffice.actions import ACTIONS
from flowlet.backoffice.drafting import DRAFT_SOURCES
from flowlet.backoffice.panels import PANELS
from flowlet.backoffice.site import PAGES, site
from flowlet.identity.models import Customer
from ledger.models.journals import JournalDraft
from wallets.models import Wallet

STATES = ("state", "status", "outcome")
TRIED = 300
# Addresses that answer with a file, a picture or nothing, and those that only take what is posted.
NO_PAGES = frozenset(
    {"login", "logout", "theme", "stay", "dashboards", "filing_file", "report_evidence"}
    | {"compliance_kycdocument_page", "compliance_kycdocument_original"}
)


def pages() -> list[str]:
    """Return the addresses, each once: pages of their own, lists, one object of each state, one act of each kind."""
    return list(dict.fromkeys([*_own_pages(), *_lists(), *_objects(), *_acts()]))


def routes(patterns: Iterable[URLPattern | URLResolver] = ()) -> Iterator[str]:
    """Return the names of all routes of the site that show a page."""
    for pattern in patterns or site.get_urls():
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns)
        elif pattern.name and pattern.name not in NO_PAGES:
            yield pattern.name


def _own_pages() -> Iterator[str]:
    yield reverse("admin:index")
    yield reverse("admin:keys")
    yield _asked("admin:search", q="Sandvik")
    yield _asked("admin:search", q="nobody-of-this-name")
    for known in PAGES.values():
        if "<" not in known.route and known.name not in NO_PAGES:
            yield reverse(f"admin:{known.name}")
    for board in dict(DASHBOARDS.items()):
        yield reverse("admin:dashboard", args=[board])
    yield _asked("admin:reports", fact="payment_day", measure="count", grain="month")
    yield _asked("admin:statements", wallet=Wallet.objects.earliest("pk").public_id)
    for kind in dict(DRAFT_SOURCES.items()):
        yield reverse("admin:draft", args=[kind, Case.objects.earliest("pk").public_id])
    yield reverse("admin:ledger_journal_edit", args=[JournalDraft.objects.latest("pk").public_id])
    customer = reverse("admin:identity_customer_change", args=[_customer().public_id])
    for tab in dict.fromkeys(panel.tab for panel in PANELS.values()):
        yield f"{customer}?{urlencode({'tab': tab})}"


def _asked(name: str, **query: str) -> str:
    return f"{reverse(name)}?{urlencode(query)}"


def _customer() -> Customer:
    """Return a customer of whom much is known: one who sent a document."""
    return KycDocument.objects.select_related("application__customer").latest("pk").application.customer


def _lists() -> Iterator[str]:
    for known in site.house_admins():
        yield reverse(known.list_name)


def _objects() -> Iterator[str]:
    for known in site.house_admins():
        yield from (known.href(obj) for obj in _one_of_each_state(known.model) if known.href(obj))


def _one_of_each_state(model: type[Model]) -> Iterable[Model]:
    rows = model._default_manager.order_by("-pk")
    state = next((field.name for field in model._meta.concrete_fields if field.name in STATES), "")
    if not state:
        return rows[:1]
    codes = rows.order_by(state).values_list(state, flat=True).distinct()
    return [rows.filter(**{state: code})[0] for code in codes]


def _acts() -> Iterator[str]:
    for action in ACTIONS.values():
        some = action.model._default_manager.order_by("-pk")[:TRIED]
        yield from islice((action.href(obj) for obj in some if action.available(obj)), 1)
