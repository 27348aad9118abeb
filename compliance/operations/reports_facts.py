"""From cases, customers and settings to the plain values that report files are written from."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict
from datetime import date

from django.conf import settings

from compliance.models.wall import CurrencyTransactionReport, SuspiciousActivityReport
from compliance.queries_cases import ActivityFact, CaseFacts, get_case_facts
from compliance.reports.facts import Address, CtrFacts, Filer, SarFacts, Subject
from compliance.reports.writing import clean
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
        last_name=clean(customer.name if business else customer.family_name or customer.name),
        first_name="" if business else clean(customer.given_name),
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


def prior_bsa_id(report: SuspiciousActivityReport | CurrencyTransactionReport) -> str:
    """Return the authority's number of the newest report that this one replaces and the authority took, or ''."""
    earlier = report.corrects
    while earlier is not None and not earlier.bsa_id:
        earlier = earlier.corrects
    return earlier.bsa_id if earlier else ""


def digest_of(facts: SarFacts) -> str:
    """Return a digest over all that a report's file would say, also of facts that no file can be written from."""
    return hashlib.sha256(json.dumps(asdict(facts), sort_keys=True, default=str).encode()).hexdigest()


def sar_facts(report: SuspiciousActivityReport, *, filed_on: date) -> SarFacts:
    """
    Return what a report's file is written from.

    What follows a rejected report is no correction to the authority: it never had the first one.
    """
    prior = prior_bsa_id(report)
    return SarFacts(
        filer=filer(),
        subjects=(subject_of(report.customer),),
        filed_on=filed_on,
        from_date=report.from_date,
        to_date=report.to_date,
        total_cents=report.total_cents,
        classes=tuple((kind, subtype) for kind, subtype in report.classes),
        narrative=report.narrative,
        prior_bsa_id=prior,
        corrects=bool(prior),
        attachment=f"{report.public_id}.csv",
    )


def ctr_facts(report: CurrencyTransactionReport, *, filed_on: date) -> CtrFacts:
    """Return what a report's file is written from; an initial one leaves out a side up to the limit."""
    prior = prior_bsa_id(report)

    def above(cents: int) -> int:
        return cents if prior or cents > REPORTING_LIMIT_CENTS else 0

    cash_in, cash_out = above(report.cash_in_cents), above(report.cash_out_cents)
    return CtrFacts(
        filer=filer(),
        subject=subject_of(report.customer, cash_in=cash_in, cash_out=cash_out),
        filed_on=filed_on,
        day=report.day,
        aggregated=report.movements > 1,
        prior_bsa_id=prior,
    )
