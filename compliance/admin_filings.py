"""Currency reports and files for the authority, for those inside the wall."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance.admin_report_actions import file_href, filed_words
from compliance.admin_reports import (
    FILE,
    WALL,
    WalledAdmin,
    dollars,
    due_cell,
    filing_link,
    note_view,
    outcome_title,
    state_badge,
)
from compliance.choices_reports import OPEN_REPORTS, FilingForm, FilingState, ReportState
from compliance.models.wall import (
    Acknowledgement,
    CurrencyTransactionReport,
    Filing,
    SuspiciousActivityReport,
)
from compliance.operations import filing as filings
from compliance.operations import reports_cash
from compliance.operations.reports_facts import REPORTING_LIMIT_CENTS
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.cells import Amount, Badge, Code, Day, Link, Main, Tone, When
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register, register_page
from flowlet.backoffice.timeline import FORMATTERS, Sentence, Subject, timeline_panel
from flowlet.core.money import Money

_OPEN = Q(state__in=OPEN_REPORTS)
_LATE = (~Q(late_in_cents=0) | ~Q(late_out_cents=0)) & Q(corrected_by__isnull=True)
# What a person has to mend: cash without a rate, what could not be filed, what was rejected and not replaced.
_LOOK = (
    Q(unpriced__gt=0)
    | Q(state=ReportState.APPROVED) & ~Q(outcome_text="")
    | Q(state=ReportState.REJECTED, corrected_by__isnull=True)
)


def _cash_state(report: CurrencyTransactionReport) -> Badge:
    """Return the state for the list, or why somebody must look."""
    if report.unpriced:
        return Badge("No rate", "warn")
    if report.state == ReportState.APPROVED and report.outcome_text:
        return Badge("Cannot be filed", "bad")
    return state_badge(report)


def _change(cents: int) -> object:
    return Amount(Money(cents, "USD"), signed=True) if cents else ""


def _link_to(report: CurrencyTransactionReport | None) -> object:
    if report is None:
        return ""
    href = reverse("admin:compliance_currencytransactionreport_change", args=[report.public_id])
    return Link(report.public_id, href, mono=True)


@register(CurrencyTransactionReport)
class CurrencyTransactionReportAdmin(WalledAdmin):
    """Currency transaction reports, made by the daily job."""

    path, title, icon, nav_order = "currency-reports", "Currency reports", "banknote", 61
    summary = f"Cash of one person on one day above {REPORTING_LIMIT_CENTS // 100:,} USD, in or out"
    related = ("customer", "filing", "corrects")
    views = (
        View(key="open", title="Open", condition=_OPEN, order=("due_on", "id")),
        View(key="late", title="Changed after filing", condition=_LATE),
        View(key="look", title="Needs a look", condition=_LOOK),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice("state", "State", tuple(ReportState.choices)),
        DateSpan("day", "Business day", lookup="day"),
    )
    columns = (
        Column(title="Person", cell=lambda r: Main(r.customer.name, r.public_id, mono=True)),
        Column(title="Business day", cell=lambda r: Day(r.day), width="m"),
        Column(title="Cash in", cell=lambda r: dollars(r.cash_in_cents), width="m", right=True),
        Column(title="Cash out", cell=lambda r: dollars(r.cash_out_cents), width="m", right=True),
        Column(title="File by", cell=due_cell, width="m", hide="s"),
        Column(title="State", cell=_cash_state, width="m"),
    )
    empty = ("No report yet", "The daily job makes one when somebody's cash of a day is above the limit.")

    def object_title(self, obj: Any) -> str:
        """Return whose cash of which day."""
        return f"{obj.customer.name}, {obj.day:%-d %B %Y}"

    def badges(self, obj: Any) -> list[object]:
        """Return the state, and that cash came to light later."""
        found: list[object] = [state_badge(obj)]
        if obj.late_in_cents or obj.late_out_cents:
            found.append(Badge("Changed after filing", "warn"))
        if obj.unpriced:
            found.append(Badge("Cash without a rate", "warn"))
        if obj.state == ReportState.APPROVED and obj.outcome_text:
            found.append(Badge("Cannot be filed", "bad"))
        return found

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return sums and what became of it."""
        subject = Subject(object_type="report", object_id=obj.public_id)
        facts: list[tuple[str, object]] = [
            (
                "Person",
                Link(
                    obj.customer.name,
                    reverse("admin:identity_customer_change", args=[obj.customer.public_id]),
                ),
            ),
            ("Business day", Day(obj.day)),
            ("Cash in", dollars(obj.cash_in_cents)),
            ("Cash out", dollars(obj.cash_out_cents)),
            ("Movements", f"{obj.movements:,}"),
            ("Without a rate", f"{obj.unpriced:,} not in the sums" if obj.unpriced else ""),
            ("Cash in since filed", _change(obj.late_in_cents)),
            ("Cash out since filed", _change(obj.late_out_cents)),
            ("Replaces", _link_to(obj.corrects)),
            ("File by", Day(obj.due_on)),
            ("File", filing_link(obj.filing)),
            ("BSA id", Code(obj.bsa_id)),
            (outcome_title(obj), obj.outcome_text),
        ]
        return [
            facts_panel("Report", facts, two=True),
            timeline_panel(subject, person_of(request), limit=10, side=True),
        ]


@action(
    name="cash-report.file",
    model=CurrencyTransactionReport,
    permission=FILE,
    label="Make the file",
    title="Put all currency reports that wait into one file?",
    text="Each report is checked first; one that would be refused is set aside with the reason, the others go in.",
    reason=False,
    note="none",
    available=lambda report: report.state == ReportState.APPROVED,
    done=filed_words,
    primary=True,
    icon="file-text",
    next_href=lambda _call, report: file_href(report),
)
def _file_cash(call: ActionCall, report: CurrencyTransactionReport) -> None:
    del report
    filings.file_batch(form=FilingForm.CTRX, user_id=call.person.user.pk, now=call.now)


@action(
    name="cash-report.correct",
    model=CurrencyTransactionReport,
    permission=FILE,
    label="Correct",
    title="Make a report that replaces this one?",
    text="It takes today's sums of the day; if the authority took this report, it names its BSA id.",
    reason=False,
    note="none",
    available=lambda report: (
        reports_cash.is_correctable(report)
        and not CurrencyTransactionReport.objects.filter(corrects=report).exists()
    ),
    done="The new report is made and waits for a file.",
    icon="history",
)
def _correct_cash(call: ActionCall, report: CurrencyTransactionReport) -> None:
    reports_cash.correct_cash_report(report_id=report.public_id, now=call.now)


@register(Filing)
class FilingAdmin(WalledAdmin):
    """Files for the authority."""

    path, title, icon, nav_order = "filings", "Files for the authority", "external-link", 62
    summary = "Batch files: made here, sent by hand, answered by the authority"
    related = ("made_by",)
    noted_as = "filing"
    list_order = ("-made_at", "-id")
    search_by = ("public_id", "sha256")
    search_hint = "File id or digest"
    filters = (
        Choice("form", "Form", tuple(FilingForm.choices)),
        Choice("state", "State", tuple(FilingState.choices)),
    )
    columns = (
        Column(title="File", cell=lambda f: Main(f.get_form_display(), f.public_id, mono=True)),
        Column(title="Reports", cell=lambda f: f"{f.reports:,}", width="s", right=True),
        Column(title="Made", cell=lambda f: When(f.made_at), width="m"),
        Column(title="Made by", cell=lambda f: f.made_by.full_name, width="l", hide="m"),
        Column(title="Sent", cell=lambda f: Day(f.filed_on) if f.filed_on else "", width="m", hide="s"),
        Column(title="State", cell=lambda f: Badge(f.get_state_display(), _FILE_TONES[f.state]), width="m"),
    )
    empty = ("No file yet", "The page of an approved report has a button that makes one.")

    def object_title(self, obj: Any) -> str:
        """Return the form."""
        return str(obj.get_form_display())

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [Badge(obj.get_state_display(), _FILE_TONES[obj.state])]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to its bytes."""
        del request
        href = reverse("admin:filing_file", args=[obj.public_id])
        return [Button(label="Download", href=href, icon="download", download=True)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what is in it, what was answered, and its digest."""
        model = SuspiciousActivityReport if obj.form == FilingForm.SARX else CurrencyTransactionReport
        rows = model._default_manager.filter(filing=obj).select_related("customer").order_by("position")  # noqa: SLF001
        inside = table_panel(
            "Reports in it",
            columns=(
                Column(title="Report", cell=lambda r: Main(r.customer.name, r.public_id, mono=True)),
                Column(title="Place", cell=lambda r: str(r.position), width="s", right=True),
                Column(title="State", cell=state_badge, width="m"),
                Column(title="BSA id", cell=lambda r: Code(r.bsa_id), width="m"),
            ),
            rows=list(rows),
            link=lambda r: reverse(f"admin:compliance_{r._meta.model_name}_change", args=[r.public_id]),  # noqa: SLF001
        )
        answers = table_panel(
            "Answers of the authority",
            columns=(
                Column(title="Received", cell=lambda a: When(a.received_at), width="m"),
                Column(title="Taken", cell=lambda a: f"{a.accepted:,}", width="s", right=True),
                Column(title="Rejected", cell=lambda a: f"{a.rejected:,}", width="s", right=True),
                Column(title="Warnings", cell=lambda a: "; ".join(a.warnings)),
            ),
            rows=list(Acknowledgement.objects.filter(filing=obj).order_by("pk")),
            empty=("No answer yet", "Take it in with the button above once it is there."),
        )
        facts = facts_panel(
            "File",
            [
                ("Made", When(obj.made_at)),
                ("Made by", obj.made_by.full_name),
                ("Sent", Day(obj.filed_on) if obj.filed_on else ""),
                ("Acknowledged", When(obj.acknowledged_at)),
                ("SHA-256", Code(obj.sha256)),
            ],
            side=True,
        )
        subject = Subject(object_type="filing", object_id=obj.public_id)
        return [inside, answers, facts, timeline_panel(subject, person_of(request), limit=10, side=True)]


_FILE_TONES: dict[str, Tone] = {
    FilingState.BATCHED: "info",
    FilingState.FILED: "wait",
    FilingState.ACKNOWLEDGED: "ok",
}


@register_page(route="filings/<str:filing_id>/file.xml", name="filing_file", permission=WALL)
@require_safe
def download(request: HttpRequest, filing_id: str) -> HttpResponse:
    """
    Answer with the file as it is to be sent.

    :raises Http404: if there is no such file
    """
    filing = Filing.objects.filter(public_id=filing_id).first()
    if filing is None:
        raise Http404
    note_view(request, "filing.download", "filing", filing_id)
    answer = HttpResponse(filing.content.encode(), content_type="application/xml")
    answer["Content-Disposition"] = f'attachment; filename="{filing.public_id}.xml"'
    answer["Cache-Control"] = "no-store"
    return answer


class SentForm(forms.Form):
    """When a file was handed over."""

    filed_on = forms.DateField(
        label="Sent on", widget=forms.DateInput(attrs={"type": "date", "class": "input"}), initial=date.today
    )


class AnswerForm(forms.Form):
    """The authority's answer, as text."""

    content = forms.CharField(
        label="Acknowledgement (XML)",
        max_length=filings.ANSWER_BYTES_MAX,
        widget=forms.Textarea(attrs={"class": "textarea mono", "rows": 12}),
        help_text="Paste the whole file.",
    )


@action(
    name="filing.send",
    model=Filing,
    permission=FILE,
    label="Mark as sent",
    title="Was the file handed to the authority?",
    reason=False,
    form=SentForm,
    available=lambda filing: filing.state == FilingState.BATCHED,
    done="The file is marked as sent.",
    primary=True,
    icon="check",
)
def _send(call: ActionCall, filing: Filing) -> None:
    filings.mark_filed(filing_id=filing.public_id, filed_on=call.data["filed_on"], now=call.now)


@action(
    name="filing.acknowledge",
    model=Filing,
    permission=FILE,
    label="Take in the answer",
    title="Take in the authority's answer",
    text="It must name every report of the file; what it rejects is shown with its words.",
    reason=False,
    note="none",
    form=AnswerForm,
    available=lambda filing: filing.state == FilingState.FILED,
    done="The answer is taken in.",
    primary=True,
    icon="inbox",
)
def _acknowledge(call: ActionCall, filing: Filing) -> None:
    filings.record_acknowledgement(
        filing_id=filing.public_id,
        content=call.data["content"].strip().encode(),
        user_id=call.person.user.pk,
        now=call.now,
    )


_SENTENCES: dict[str, tuple[str, str]] = {
    "report.draft": ("Report drafted", "file-text"),
    "report.write": ("Narrative written", "scroll-text"),
    "report.submit": ("Submitted to a second person", "users"),
    "report.decide": ("Decided by a second person", "user-round-check"),
    "report.return": ("Returned to its writer", "history"),
    "report.view": ("Report looked at", "eye"),
    "report.export": ("Evidence exported", "download"),
    "report.build": ("Made by the daily job", "banknote"),
    "report.rebuild": ("Sums changed by the daily job", "banknote"),
    "report.correct": ("Made to replace another", "history"),
    "report.late": ("Cash came to light after filing", "triangle-alert"),
    "filing.view": ("File looked at", "eye"),
    "filing.make": ("File made", "file-text"),
    "filing.send": ("File sent", "check"),
    "filing.download": ("File downloaded", "download"),
    "filing.acknowledge": ("Answer of the authority taken in", "inbox"),
}


def _says(words: str, sign: str) -> Any:
    def sentence(_record: AuditRecord) -> Sentence:
        return Sentence(text=words, icon=sign)

    return sentence


for _verb, (_words, _sign) in _SENTENCES.items():
    FORMATTERS.register(_verb)(_says(_words, _sign))
