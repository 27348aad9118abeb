"""Bank accounts of the house: the list, the page of one, and the form to enter one."""

from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Day, Link, Main, When
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.filters import Text
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register, register_page
from flowlet.core import clock
from flowlet.core.errors import AppError, InvalidInput
from ledger.admin_bank_forms import BankAccountForm
from ledger.admin_bank_parts import STATEMENT_COLUMNS, bank_account_href
from ledger.admin_parts import amount_cell
from ledger.models.reconciliation import BankStatement, HouseBankAccount
from ledger.operations.bank_accounts import open_house_bank_account

_SHOWN = 25


def _money_badge(account: HouseBankAccount) -> Badge:
    return Badge("Client money", "info") if account.client_money else Badge("Own money")


def _closing(account: Any) -> object:
    if account.closing_minor is None:
        return ""
    return amount_cell(account.closing_minor, account.currency)


@register(HouseBankAccount)
class HouseBankAccountAdmin(ModelAdmin):
    """Where the house keeps money at banks."""

    path, title, group, icon, nav_order = (
        "ledger/bank-accounts",
        "Our bank accounts",
        "Reconciliation",
        "building-2",
        75,
    )
    summary = "The house's own accounts at banks; each is mirrored by one ledger account"
    related = ("account__chart_account", "account__balance")
    list_order = ("name", "pk")
    search_by = ("public_id", "iban", "other_id", "name__icontains", "bank_name__icontains")
    search_hint = "Name, bank, IBAN or hba_ id"
    views = (
        View(key="all", title="All"),
        View(key="client", title="Client money", condition=Q(client_money=True)),
    )
    filters = (Text("currency", "Currency"),)
    columns = (
        Column(title="Account", cell=lambda a: Main(a.name, a.iban or a.other_id, mono=True)),
        Column(title="Bank", cell=lambda a: a.bank_name, width="m", hide="m"),
        Column(title="Holds", cell=_money_badge, width="m", hide="s"),
        Column(title="The bank says", cell=_closing, width="m", right=True),
        Column(title="On", cell=lambda a: Day(a.closing_date), width="s", hide="s"),
    )
    empty = (
        "No bank account yet",
        "Enter the accounts that the house keeps at banks, then bring in their statements.",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all with the closing balance of their latest accepted statement."""
        latest = BankStatement.objects.filter(bank_account=OuterRef("pk"), accepted_at__isnull=False)
        latest = latest.order_by("-sequence")
        rows: QuerySet[Any] = super().get_queryset(request)
        rows = rows.annotate(
            closing_minor=Subquery(latest.values("closing_minor")[:1]),
            closing_date=Subquery(latest.values("closing_date")[:1]),
        )
        return rows  # noqa: RET504 - the annotated type is not one that mypy takes as returned

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Return the way to enter one."""
        if not person_of(request).may("ledger.open_housebankaccount"):
            return []
        href = reverse("admin:ledger_new_bank_account")
        return [Button(label="Enter a bank account", href=href, style="primary")]

    def object_summary(self, obj: Any) -> str:
        """Return bank and number."""
        return f"{obj.bank_name} · {obj.iban or obj.other_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return whose money it holds."""
        return [_money_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return its latest statements, bank beside ledger, and what it is."""
        del request
        statements = BankStatement.objects.filter(bank_account=obj).select_related("bank_account")
        facts: list[tuple[str, object]] = [
            ("Bank", obj.bank_name),
            ("IBAN", Code(obj.iban)),
            ("Other number", Code(obj.other_id)),
            ("BIC", Code(obj.bic)),
            ("Currency", obj.currency),
            ("Entered", When(obj.opened_at)),
            ("Id", Code(obj.public_id)),
        ]
        return [
            table_panel(
                "Latest statements",
                columns=STATEMENT_COLUMNS,
                rows=list(statements.order_by("-sequence")[:_SHOWN]),
                link=lambda s: reverse("admin:ledger_bankstatement_change", args=[s.public_id]),
                empty=("No statement yet", "Bring in a file from this bank."),
                href=f"{reverse('admin:ledger_bankstatement_changelist')}?account={obj.public_id}",
            ),
            facts_panel("Bank and ledger", _sides(obj), side=True),
            facts_panel("Bank account", facts, side=True),
        ]


def _sides(obj: Any) -> list[tuple[str, object]]:
    ledger, said = obj.account.balance.posted, obj.closing_minor
    apart = None if said is None else said - ledger
    return [
        ("The bank says", _closing(obj)),
        ("At the end of", Day(obj.closing_date)),
        ("The ledger says now", amount_cell(ledger, obj.currency)),
        ("Difference", "" if apart is None else amount_cell(apart, obj.currency)),
        (
            "Ledger account",
            Link(
                str(obj.account.chart_account),
                reverse("admin:ledger_account_change", args=[obj.account.public_id]),
            ),
        ),
    ]


@register_page(
    route="ledger/bank-accounts/new/",
    name="ledger_new_bank_account",
    permission="ledger.open_housebankaccount",
)
@require_http_methods(["GET", "HEAD", "POST"])
def new_bank_account(request: HttpRequest) -> HttpResponse:
    """Ask for a bank account, or enter it."""
    form = BankAccountForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        entered = _enter(request, form)
        if entered is not None:
            messages.success(request, f"{entered} was entered.")
            return HttpResponseRedirect(bank_account_href(entered))
    return page(
        request,
        "ledger/form_page.html",
        title="Enter a bank account",
        path=[
            ("Reconciliation", ""),
            ("Our bank accounts", reverse("admin:ledger_housebankaccount_changelist")),
        ],
        summary="Files are routed to it by its number",
        form=form,
        verb="Enter",
        back=reverse("admin:ledger_housebankaccount_changelist"),
        status=400 if form.errors else 200,
    )


def _enter(request: HttpRequest, form: BankAccountForm) -> HouseBankAccount | None:
    values = dict(form.cleaned_data)
    account = values.pop("account")
    with acting_as(request, person_of(request)):
        try:
            return open_house_bank_account(account_id=account.pk, now=clock.now(), **values)
        except InvalidInput as faults:
            for fault in faults.errors:
                form.add_error(fault.pointer.strip("/"), fault.detail)
        except AppError as refusal:
            form.add_error(None, refusal.detail)
    return None
