"""The form of a manual journal: lines with an account and a debit or a credit, their sums, kept as a draft."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.frame import page
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register_page
from flowlet.core import clock
from flowlet.core.currencies import EXPONENTS
from flowlet.core.errors import AppError, NotFound
from flowlet.core.money import Money
from ledger.admin_parts import Sum
from ledger.journal_templates import JOURNAL_TEMPLATES
from ledger.models.accounts import Account
from ledger.models.journals import JournalDraft
from ledger.operations.journals import WrittenLine, find_account, save_journal
from ledger.queries.journals import account_words, get_journal, list_lines, offered_accounts
from ledger.queries.periods import accrual_day
from ledger.queries.rates import base_currency

MAKE = "ledger.make_journal"
ROWS_AT_FIRST, ROWS_MORE, ROWS_MAX, TITLE_MAX, TEXT_MAX = 4, 4, 200, 120, 1_000


@dataclass(slots=True)
class Row:
    """One line as it was typed, with what is wrong with it."""

    account: str = ""
    debit: str = ""
    credit: str = ""
    text: str = ""
    fault: str = ""
    found: Account | None = None
    minor: int = 0

    @property
    def empty(self) -> bool:
        """Tell whether nothing stands on the line."""
        return not (self.account or self.debit or self.credit or self.text)

    @property
    def currency(self) -> str:
        """Return the account's currency, once it is known."""
        return self.found.currency if self.found else ""


@dataclass(slots=True)
class Written:
    """The whole form as it was typed."""

    title: str = ""
    text: str = ""
    day: str = ""
    template: str = ""
    rows: list[Row] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Tell whether it can be kept."""
        return not self.faults and not any(row.fault for row in self.rows)


@register_page(route="ledger/journals/new/", name="ledger_journal_new", permission=MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def new_journal(request: HttpRequest) -> HttpResponse:
    """Answer an empty form, or one filled from a template; a POST keeps the draft."""
    if request.method == "POST":
        return _posted(request, None)
    return _show(request, _from_template(request.GET.get("template", "")), None)


@register_page(route="ledger/journals/<str:journal_id>/edit/", name="ledger_journal_edit", permission=MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_journal(request: HttpRequest, journal_id: str) -> HttpResponse:
    """
    Answer the form of a draft; a POST keeps what it says now.

    :raises Http404: if there is no such journal
    """
    try:
        draft = get_journal(journal_id.replace("\0", ""))
    except NotFound:
        raise Http404 from None
    if request.method == "POST":
        return _posted(request, draft)
    return _show(request, _from_draft(draft), draft)


def _from_template(name: str) -> Written:
    today = clock.now().date().isoformat()
    if name not in JOURNAL_TEMPLATES:
        return Written(day=today, rows=[Row() for _ in range(ROWS_AT_FIRST)])
    template, currency = JOURNAL_TEMPLATES.get(name), base_currency()
    rows = [Row(account=f"{number} {currency}") for number, _ in template.lines]
    day = accrual_day(clock.now().date()).isoformat() if template.accrual else today
    return Written(title=template.title, text=template.text, day=day, template=name, rows=rows)


def _from_draft(draft: JournalDraft) -> Written:
    rows = []
    for line in list_lines(draft):
        amount = str(Money(abs(line.amount_minor), line.account.currency).decimal())
        sides = (amount, "") if line.amount_minor > 0 else ("", amount)
        words = account_words(line.account)
        rows.append(Row(words, *sides, text=line.text, found=line.account, minor=line.amount_minor))
    return Written(draft.title, draft.text, draft.effective_date.isoformat(), draft.template, rows)


def _posted(request: HttpRequest, draft: JournalDraft | None) -> HttpResponse:
    written, now = _read(request), clock.now()
    with acting_as(request, person_of(request)):
        for row in written.rows:
            _resolve(row, now)
    do = request.POST.get("do", "save")
    if do == "more":
        written.rows += [Row() for _ in range(min(ROWS_MORE, ROWS_MAX - len(written.rows)))]
    if do != "save" or not written.whole:
        return _show(request, written, draft, status=200 if do != "save" else 400)
    return _save(request, written, draft, now)


def _save(request: HttpRequest, written: Written, draft: JournalDraft | None, now: datetime) -> HttpResponse:
    person = person_of(request)
    lines = [
        WrittenLine(row.found.pk, Money(row.minor, row.found.currency), row.text)
        for row in written.rows
        if row.found is not None
    ]
    try:
        with acting_as(request, person):
            saved = save_journal(
                journal_id=draft.public_id if draft else None,
                maker_id=person.user.pk,
                title=written.title,
                text=written.text,
                effective_date=date.fromisoformat(written.day),
                lines=lines,
                template=written.template,
                now=now,
            )
    except AppError as refusal:
        written.faults["form"] = refusal.detail
        return _show(request, written, draft, status=refusal.http_status)
    messages.success(request, "The draft is kept. Nothing is posted yet.")
    return HttpResponseRedirect(
        reverse("admin:ledger_journaldraft_change", args=[saved.public_id]), status=303
    )


def _read(request: HttpRequest) -> Written:
    given = request.POST
    columns = [given.getlist(name)[:ROWS_MAX] for name in ("account", "debit", "credit", "line_text")]
    size = max(len(column) for column in columns)
    padded = [[*column, *[""] * (size - len(column))] for column in columns]
    rows = [
        Row(_clean(account), _clean(debit), _clean(credit), _clean(text))
        for account, debit, credit, text in zip(*padded, strict=True)
    ]
    template = _clean(given.get("template", ""))
    written = Written(
        title=_clean(given.get("title", "")),
        text=given.get("text", "").replace("\0", "").strip()[:TEXT_MAX],
        day=_clean(given.get("day", "")),
        template=template if template in JOURNAL_TEMPLATES else "",
        rows=rows,
    )
    if not 0 < len(written.title) <= TITLE_MAX:
        written.faults["title"] = f"Give it a title of up to {TITLE_MAX} letters."
    try:
        date.fromisoformat(written.day)
    except ValueError:
        written.faults["day"] = "Give the value date."
    if all(row.empty for row in rows):
        written.faults["form"] = "Write at least one line."
    return written


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:140]


def _resolve(row: Row, now: datetime) -> None:
    """Find the account and read the amount of one line; what is wrong stands in its fault."""
    if row.empty:
        return
    try:
        row.found = find_account(row.account, now=now)
        if bool(row.debit) == bool(row.credit):
            row.fault = "Give either a debit or a credit."
            return
        amount = Money.parse(_plain(row.debit or row.credit), row.found.currency)
    except AppError as refusal:
        row.fault = refusal.detail
        return
    if amount.minor <= 0:
        row.fault = "Amounts are more than zero; the column says which side."
    row.minor = amount.minor if row.debit else -amount.minor


def _plain(text: str) -> str:
    """Return an amount without the marks and blanks that group thousands."""
    return text.replace(",", "").replace(" ", "")


def _sums(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return debits, credits and what is missing, for each currency."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        if row.found is not None and row.minor:
            both = sums.setdefault(row.currency, [0, 0])
            both[0 if row.minor > 0 else 1] += abs(row.minor)
    return [
        {
            "currency": currency,
            "debit": Sum(debit, currency),
            "credit": Sum(credit, currency),
            "off": "" if debit == credit else Sum(abs(debit - credit), currency),
        }
        for currency, (debit, credit) in sorted(sums.items())
    ]


def _show(
    request: HttpRequest, written: Written, draft: JournalDraft | None, *, status: int = 200
) -> HttpResponse:
    offered = offered_accounts()
    currencies = sorted(
        {account.currency for account in offered} | {row.currency for row in written.rows} - {""}
    )
    title = "Change the journal" if draft else "Write a journal"
    back = (
        reverse("admin:ledger_journaldraft_change", args=[draft.public_id])
        if draft
        else reverse("admin:ledger_journaldraft_changelist")
    )
    return page(
        request,
        "ledger/journal_form.html",
        title=title,
        path=[("Books", ""), ("Manual journals", reverse("admin:ledger_journaldraft_changelist"))],
        summary="A second person posts it; until then it is a draft of yours",
        written=written,
        corrects=draft.corrects if draft else None,
        templates=[] if draft else JOURNAL_TEMPLATES.items(),
        help=JOURNAL_TEMPLATES.get(written.template).help if written.template in JOURNAL_TEMPLATES else "",
        offered=[account_words(account) for account in offered],
        exponents={currency: EXPONENTS[currency] for currency in currencies},
        sums=_sums(written.rows),
        back=back,
        title_max=TITLE_MAX,
        text_max=TEXT_MAX,
        full=len(written.rows) >= ROWS_MAX,
        status=status,
    )
