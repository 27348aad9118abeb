"""What payments adds to other pages: figures and chart of Today, a panel of the customer page, search."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse

from flowlet.backoffice.cards import FIGURES, QUEUES, Figure, FigureValue, NextRow, Queue
from flowlet.backoffice.cells import Amount, Due, Main, When, span_text
from flowlet.backoffice.charts import CHARTS, Chart, Series, day_labels, days_until
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel, table_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import say
from flowlet.core.errors import AppError
from flowlet.core.ids import is_id
from flowlet.core.money import Money
from flowlet.identity.models import Customer
from payments.admin_parts import names_of, payee_name, payer_name, payment_badge
from payments.choices import PaymentStatus
from payments.models import Payment
from payments.queries import list_payments_of_customer
from wallets.admin_parts import CURRENCIES

VIEW, DECIDE = "payments.view_payment", "payments.decide_payment"
SHOWN = 10
# A held payment should not wait longer for a look.
HELD_WITHIN = timedelta(hours=2)
SIDES = ("payer_wallet__customer", "payee_wallet__customer", "bank_account__customer")


def payments_href(**query: str) -> str:
    """Return the address of the list of payments, narrowed."""
    address = reverse("admin:payments_payment_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def payment_href(payment: Payment) -> str:
    """Return the address of a payment's page."""
    return reverse("admin:payments_payment_change", args=[payment.public_id])


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _today_figure(_person: Person, now: datetime) -> FigureValue:
    """Compare with the same weekday a week ago, up to the same time of day."""
    start, week = _midnight(now), timedelta(days=7)
    numbers = Payment.objects.filter(created_at__gte=start - week, created_at__lte=now).aggregate(
        today=Count("pk", filter=Q(created_at__gte=start)),
        before=Count("pk", filter=Q(created_at__lte=now - week)),
    )
    return FigureValue(
        value=f"{numbers['today']:,}",
        note=f"{_change(numbers['today'], numbers['before'])} {now - week:%A} last week at this time",
    )


def _change(present: int, before: int) -> str:
    if not before:
        return "0 on" if not present else "none on"
    share = round((present - before) * 100 / before)
    return f"{share:+d} % on" if share else "as many as on"


def _volume_figure(_person: Person, now: datetime) -> FigureValue:
    """Currencies are not added up: the largest by number is shown, the others are named."""
    rows = list(
        Payment.objects.filter(
            status=PaymentStatus.COMPLETED, created_at__gte=_midnight(now), created_at__lte=now
        )
        .values("currency")
        .annotate(minor=Sum("amount_minor"), count=Count("pk"))
        .order_by("-count", "currency")
    )
    if not rows:
        return FigureValue(value="0", note="No payment completed yet today")
    first, *others = rows
    also = ", ".join(row["currency"] for row in others)
    return FigureValue(
        value=Money(int(first["minor"]), first["currency"]).format(),
        note=f"{first['count']:,} payments" + (f"; also {also}" if also else ""),
    )


def _refused_figure(_person: Person, now: datetime) -> FigureValue:
    week = timedelta(days=7)
    present, before = Q(created_at__gt=now - week), Q(created_at__lte=now - week)
    refused = Q(status=PaymentStatus.REFUSED)
    numbers = Payment.objects.filter(created_at__gt=now - 2 * week, created_at__lte=now).aggregate(
        all=Count("pk", filter=present),
        refused=Count("pk", filter=present & refused),
        all_before=Count("pk", filter=before),
        refused_before=Count("pk", filter=before & refused),
    )
    share, share_before = (
        _share(numbers["refused"], numbers["all"]),
        _share(numbers["refused_before"], numbers["all_before"]),
    )
    worse = share > share_before + 1
    return FigureValue(
        value=f"{share:.1f} %",
        note=f"{numbers['refused']:,} in 7 days; {share_before:.1f} % the week before",
        tone="bad" if worse else "",
    )


def _share(part: int, whole: int) -> float:
    return part * 100 / whole if whole else 0.0


def _held_figure(_person: Person, now: datetime) -> FigureValue:
    rows = Payment.objects.filter(status=PaymentStatus.HELD)
    numbers = rows.aggregate(all=Count("pk"), oldest=Min("created_at"))
    oldest = numbers["oldest"]
    if oldest is None:
        return FigureValue(value="0", note="Nothing waits for a look")
    late = now - oldest > HELD_WITHIN
    waits = f"The oldest for {span_text(now - oldest)}"
    return FigureValue(value=f"{numbers['all']:,}", note=waits, tone="bad" if late else "")


FIGURES.register("payments_held")(
    Figure(
        title="Held payments",
        permission=VIEW,
        icon="shield",
        value=_held_figure,
        href=lambda: payments_href(view="held"),
        order=15,
    )
)


def _next_held(_person: Person, now: datetime, limit: int) -> Sequence[NextRow]:
    rows = Payment.objects.filter(status=PaymentStatus.HELD).select_related(*SIDES)
    return [
        NextRow(
            title=f"{payment.amount.format()}, {names_of(payment)}",
            meta=payment.description or payment.public_id,
            href=payment_href(payment),
            state=payment_badge(payment),
            due=Due(payment.created_at + HELD_WITHIN, now),
        )
        for payment in rows.order_by("created_at", "pk")[:limit]
    ]


QUEUES.register("payments_held")(
    Queue(
        title="Held payments to decide",
        permission=DECIDE,
        rows=_next_held,
        href=lambda: payments_href(view="held"),
        order=15,
    )
)
FIGURES.register("payments_today")(
    Figure(
        title="Payments today",
        permission=VIEW,
        icon="arrow-left-right",
        value=_today_figure,
        href=payments_href,
        order=30,
    )
)
FIGURES.register("volume_today")(
    Figure(
        title="Volume today",
        permission=VIEW,
        icon="banknote",
        value=_volume_figure,
        href=lambda: payments_href(view="completed"),
        order=31,
    )
)
FIGURES.register("payments_refused")(
    Figure(
        title="Refused payments",
        permission=VIEW,
        icon="ban",
        value=_refused_figure,
        href=lambda: payments_href(view="refused"),
        order=32,
    )
)


def _chart(_person: Person, now: datetime) -> tuple[Sequence[str], Sequence[Series]]:
    days = days_until(now, count=14)
    start = _midnight(now) - timedelta(days=len(days) - 1)
    rows = (
        Payment.objects.filter(created_at__gte=start, created_at__lte=now)
        .annotate(day=TruncDate("created_at"))
        .values_list("day", "status")
        .annotate(count=Count("pk"))
    )
    counts = {(day, status): count for day, status, count in rows}
    series = [
        Series(str(status.label), [counts.get((day, status.value), 0) for day in days])
        for status in (PaymentStatus.COMPLETED, PaymentStatus.REFUSED)
    ]
    return day_labels(days), series


CHARTS.register("payments")(
    Chart(
        title="Payments per day",
        permission=VIEW,
        note="The latest 14 days, by UTC day",
        series=_chart,
        order=20,
        href=payments_href,
    )
)


def _panel(shown: int, *, tab: str) -> CustomerPanel:
    def build(customer: Customer, _person: Person, _now: datetime) -> Panel:
        mine = customer.pk

        def is_out(payment: Payment) -> bool:
            return payment.payer_wallet is not None and payment.payer_wallet.customer_id == mine

        def other(payment: Payment) -> Main:
            out = is_out(payment)
            name = payee_name(payment) if out else payer_name(payment)
            return Main(f"{'To' if out else 'From'} {name}", payment.description or payment.public_id)

        def amount(payment: Payment) -> Amount:
            out = is_out(payment)
            return Amount(
                -payment.amount if out else payment.amount, signed=payment.status == PaymentStatus.COMPLETED
            )

        return table_panel(
            "Payments",
            columns=(
                Column(title="With", cell=other),
                Column(title="Amount", cell=amount, width="l", right=True),
                Column(title="Status", cell=payment_badge, width="s"),
                Column(title="Created", cell=lambda p: When(p.created_at), width="m", right=True, hide="s"),
            ),
            rows=list(list_payments_of_customer(mine)[:shown]),
            link=payment_href,
            empty=("No payments yet", "What this customer pays and receives shows here."),
            note="The newest",
        )

    return CustomerPanel(build=build, permission=VIEW, tab=tab, order=20)


PANELS.register("payments")(_panel(SHOWN, tab="Overview"))
PANELS.register("payments.money")(_panel(50, tab="Money"))


def _by_id(term: str, _person: Person) -> Iterable[Found]:
    return _found(Payment.objects.filter(public_id=term))


def _amounts(term: str) -> list[Money]:
    """Return what a term such as `12.50` or `12.50 EUR` can mean; nothing for other texts."""
    digits, _, code = term.replace("\N{NO-BREAK SPACE}", " ").upper().partition(" ")
    found = []
    for currency in CURRENCIES:
        if code in ("", currency):
            try:
                found.append(Money.parse(digits.replace(",", ""), currency))
            except AppError:
                continue  # too many digits for this currency, or no number at all
    return [money for money in found if money.minor > 0]


def _by_amount(term: str, _person: Person) -> Iterable[Found]:
    wanted = Q(pk__in=[])
    for money in _amounts(term):
        wanted |= Q(amount_minor=money.minor, currency=money.currency)
    return _found(Payment.objects.filter(wanted).order_by("-created_at", "-pk")[:5])


def _found(rows: QuerySet[Payment]) -> Iterable[Found]:
    for payment in rows.select_related(*SIDES):
        yield Found(
            title=f"{payment.amount.format()}, {names_of(payment)}",
            meta=f"{payment.get_status_display()} · {payment.public_id}",
            href=payment_href(payment),
        )


def _source(**given: Any) -> SimpleSource:
    return SimpleSource(icon="arrow-left-right", permission=VIEW, **given)


SEARCH.register("payments")(
    _source(title="Payments", find=_by_id, wants=lambda term: is_id(term, "pay"), order=20)
)
SEARCH.register("payments.amount")(
    _source(
        title="Payments of this amount",
        find=_by_amount,
        wants=lambda term: term[:1].isdigit() and bool(_amounts(term)),
        order=40,
    )
)


_ARROWS = "arrow-left-right"
say("payment.create", "Payment made", _ARROWS, refused="Payment refused")
say("payment.release", "Payment released", _ARROWS)
say("payment.refuse", "Payment refused", "ban")
say("payment.ask_again", "Rail to be asked again", _ARROWS)
say("payment.settle", "Payment moved on", _ARROWS, refused="Payment failed")
say("payment.late_result", "Rail answered after the end", _ARROWS)
say("refund.create", "Refund begun", _ARROWS, refused="Refund refused")
say("refund.succeed", "Refund accepted", _ARROWS)
say("refund.fail", "Refund failed", "ban", refused="Refund failed, money returned to the wallet")
