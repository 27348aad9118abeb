"""From cases, customers and settings to the plain values that report files are written from."""

from collections import Counter
from datetime import date

from django.conf import settings

from compliance.models.wall import CurrencyTransactionReport, SuspiciousActivityReport
from compliance.queries_cases import ActivityFact, CaseFacts, get_case_facts
from compliance.reports.facts import Address, CtrFacts, Filer, SarFacts, Subject
from flowlet.identity.models import Customer
from wallets.models import Wallet

REPORTING_LIMIT_CENTS = 1_000_000  # 31 CFR 1010.311: more than 10,000 USD
# Which of the schema's classes a scenario speaks of: (type, subtype).
CLASSES: dict[str, tuple[tuple[str, str], ...]] = {
    "structuring": (("1", "114"),),
    "pass_through": (("8", "821"), ("9", "925")),
    "fan_in": (("8", "824"),),
    "high_risk_geography": (("9", "928"),),
    "dormant_reactivation": (("8", "812"),),
}
_OTHERWISE = ("8", "812")
_KINDS = {"IN": "received", "OUT": "sent"}


def filer() -> Filer:
    """Return who files, from the settings; the sandbox's own office when none is named."""
    values = settings.FILER
    return Filer(
        name=values["name"],
        tin=values["tin"],
        tcc=values["tcc"],
        address=Address(
            street=values["street"],
            city=values["city"],
            state=values["state"],
            postcode=values["postcode"],
            country=values["country"],
        ),
        contact=values["contact"],
        phone=values["phone"],
        sandbox=settings.FLOWLET_MODE != "live",
    )


def subject_of(customer: Customer, *, cash_in: int = 0, cash_out: int = 0) -> Subject:
    """Return the customer as a party of a report; accounts are the ids of the wallets."""
    business = customer.kind != "PERSON"
    wallets = Wallet.objects.filter(customer=customer).order_by("pk").values_list("public_id", flat=True)
    return Subject(
        last_name=" ".join((customer.name if business else customer.family_name or customer.name).split()),
        first_name="" if business else " ".join(customer.given_name.split()),
        business=business,
        birth_date=date.fromisoformat(customer.birth_date) if customer.birth_date else None,
        address=Address(country=customer.country),
        phone=customer.phone or "",
        accounts=tuple(wallets),
        cash_in_cents=cash_in,
        cash_out_cents=cash_out,
    )


def classes_of(facts: CaseFacts) -> list[list[str]]:
    """Return the schema's classes of a case's alerts, each once."""
    found = {pair for alert in facts.alerts for pair in CLASSES.get(alert.scenario, (_OTHERWISE,))}
    return [list(pair) for pair in sorted(found)]


def narrative_of(facts: CaseFacts) -> str:
    """Return the skeleton of a narrative from the evidence: who, what, when, where, why, how. An officer finishes it."""
    customer = facts.customer
    kind = "a business" if customer.kind != "PERSON" else "a person"
    totals = "; ".join(
        f"{came.format()} in and {went.format()} out" for came, went in facts.totals.values()
    ).replace("\N{NO-BREAK SPACE}", " ")
    others = Counter(one.counterparty_name for one in facts.activities if one.counterparty_name)
    named = ", ".join(name for name, _ in others.most_common(5)) or "nobody named"
    kinds = Counter(one.kind.replace("_", " ").lower() for one in facts.activities)
    countries = sorted({one.counterparty_country for one in facts.activities if one.counterparty_country})
    when = f"{facts.first_at:%d %B %Y} to {facts.latest_at:%d %B %Y}" if facts.first_at else "an unknown time"
    parts = [
        (
            f"WHO: {customer.name}, {kind}, customer {customer.public_id} since {customer.created_at:%d %B %Y}, "
            f"country {customer.country}. Other parties: {named}."
        ),
        f"WHAT: {len(facts.activities)} movements, {totals or 'no amounts'}; "
        + ", ".join(f"{number} x {name}" for name, number in kinds.most_common())
        + ".",
        f"WHEN: from {when}.",
        f"WHERE: wallets of Flowlet; countries of the other side: {', '.join(countries) or 'not known'}.",
        "WHY: " + " ".join(f"{alert.title}: {alert.sentence}" for alert in facts.alerts),
        "HOW: " + _how(facts.activities),
    ]
    return " ".join(" ".join(parts).split())


def _how(activities: tuple[ActivityFact, ...]) -> str:
    lines = [
        f"{one.at:%d %B %Y} {_KINDS[one.side]} {one.amount.format()} "
        f"({one.kind.replace('_', ' ').lower()}{', ' + one.counterparty_name if one.counterparty_name else ''})"
        for one in activities[:40]
    ]
    rest = len(activities) - len(lines)
    tail = f"; and {rest} more, listed in the attachment" if rest > 0 else ""
    return "; ".join(lines).replace("\N{NO-BREAK SPACE}", " ") + tail + "."


def evidence_of(report: SuspiciousActivityReport) -> tuple[ActivityFact, ...]:
    """Return the movements behind a report, oldest first."""
    return get_case_facts(report.case.public_id).activities


def sar_facts(report: SuspiciousActivityReport, *, filed_on: date) -> SarFacts:
    """Return what a report's file is written from."""
    return SarFacts(
        filer=filer(),
        subjects=(subject_of(report.customer),),
        filed_on=filed_on,
        from_date=report.from_date,
        to_date=report.to_date,
        total_cents=report.total_cents,
        classes=tuple((kind, subtype) for kind, subtype in report.classes),
        narrative=report.narrative,
        prior_bsa_id=report.corrects.bsa_id if report.corrects else "",
        corrects=report.corrects is not None,
        attachment=f"{report.public_id}.csv",
    )


def ctr_facts(report: CurrencyTransactionReport, *, filed_on: date) -> CtrFacts:
    """Return what a report's file is written from; a side at or below the limit is left out."""

    def above(cents: int) -> int:
        return cents if cents > REPORTING_LIMIT_CENTS else 0

    cash_in, cash_out = above(report.cash_in_cents), above(report.cash_out_cents)
    return CtrFacts(
        filer=filer(),
        subject=subject_of(report.customer, cash_in=cash_in, cash_out=cash_out),
        filed_on=filed_on,
        day=report.day,
        aggregated=report.movements > 1,
    )
