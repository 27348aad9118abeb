"""Inventing a partner's customers and their wallets."""

import random
from datetime import date, datetime, timedelta

from schwifty import IBAN

from flowlet.demo import names
from flowlet.demo.plan import CustomerPlan, WalletPlan
from flowlet.demo.scripts import Script

_IBAN_COUNTRIES = frozenset(
    [
        "AE",
        "AT",
        "BE",
        "CH",
        "CY",
        "CZ",
        "DE",
        "DK",
        "ES",
        "FR",
        "GB",
        "GR",
        "IE",
        "IT",
        "KW",
        "NL",
        "NO",
        "PL",
        "PT",
        "QA",
        "SE",
        "TR",
    ]
)
_HOME_CURRENCY = {"GB": "GBP", "CH": "CHF", "JP": "JPY", "KW": "KWD", "US": "USD"}
_PHONES = {
    "DE": "+49151",
    "GB": "+447700",
    "CH": "+41790",
    "FR": "+33600",
    "JP": "+8190",
    "KW": "+9655",
    "US": "+1202555",
}
# Two people whom `show_access` lets pay each other.
PAYER, PAYEE = "demo-payer", "demo-payee"


class Crowd:
    """
    The customers and wallets of one partner.

    `quiet` are the references of namesakes of listed people, whom the story leaves alone otherwise.
    """

    def __init__(
        self, script: Script, rng: random.Random, *, start: datetime, now: datetime, scale: float
    ) -> None:
        self.script, self.rng, self.start, self.now = script, rng, start, now
        self.customers: list[CustomerPlan] = []
        self.wallets: list[WalletPlan] = []
        self.quiet: set[str] = set()
        self._used: set[str] = set()
        for _ in range(max(2, round(script.businesses * scale))):
            self._business()
        for _ in range(max(4, round(script.persons * scale))):
            self._person()
        self._namesakes()
        if script.slug == "paylark":
            self._demo_pair()
        self.customers.sort(key=lambda customer: customer.at)
        self.wallets.sort(key=lambda wallet: wallet.at)

    def _arrival(self) -> datetime:
        """Most were there from the start, the others came over the months."""
        late = self.rng.random() < 0.3  # noqa: PLR2004 - three in ten
        span = timedelta(days=self.rng.uniform(2, 86)) if late else timedelta(hours=self.rng.uniform(0, 30))
        return self.start + span

    def _reference(self) -> str:
        return f"{self.script.slug[:3]}-{len(self.customers) + 1:05d}"

    def _person(self) -> None:
        origin = names.ORIGINS[self.rng.choice(self.script.origins)]
        while True:
            given, family = self.rng.choice(origin.given), self.rng.choice(origin.family)
            if f"{given} {family}" not in self._used:
                break
        country = origin.countries[min(int(self.rng.expovariate(1.3)), len(origin.countries) - 1)]
        self._add_person(given, family, country, self._reference(), self._arrival())

    def _add_person(
        self, given: str, family: str, country: str, reference: str, at: datetime, *, born: bool = True
    ) -> None:
        self._used.add(f"{given} {family}")
        birth_date = date(1957, 1, 1) + timedelta(days=self.rng.randint(0, 49 * 365))
        self.customers.append(
            CustomerPlan(
                reference=reference,
                kind="PERSON",
                country=country,
                at=at,
                given=given,
                family=family,
                birth_date=birth_date if born else None,
                email=f"{reference}@mail.example",
                phone=f"{_PHONES.get(country, '+49151')}{self.rng.randint(10**5, 10**6 - 1)}",
                tier=self.rng.choices(("BASIC", "STANDARD", "PLUS"), weights=(2, 6, 1))[0],
            )
        )
        self._wallets(reference, country, at, business=False)

    def _business(self) -> None:
        trades = names.HOTELS if self.script.trades == "hotels" else names.BUSINESS_TRADES
        while True:
            name = f"{self.rng.choice(names.BUSINESS_HEADS)} {self.rng.choice(trades)}"
            if name not in self._used:
                break
        self._used.add(name)
        country = self.rng.choice(
            [c for c in names.LEGAL_FORMS if self._currency_of(c) in self.script.currencies]
        )
        self._add_business(f"{name} {names.LEGAL_FORMS[country]}", country)

    def _add_business(self, legal: str, country: str) -> str:
        reference, at = self._reference(), self.start + timedelta(minutes=self.rng.uniform(0, 300))
        self.customers.append(
            CustomerPlan(
                reference=reference, kind="BUSINESS", country=country, at=at, legal=legal, tier="PLUS"
            )
        )
        self._wallets(reference, country, at, business=True)
        return reference

    def _namesakes(self) -> None:
        shift = {"paylark": 0, "bazarine": 1, "wanderly": 2}[self.script.slug]
        for number, (given, family, country) in enumerate(names.NAMESAKES[shift::3]):
            reference = self._reference()
            self.quiet.add(reference)
            # Every second one came in since yesterday, so that the queue holds both overdue and fresh work.
            hours = self.rng.uniform(1, 20) if number % 2 else self.rng.uniform(30, 300)
            at = self.now - timedelta(hours=hours)
            # Without a birth date the name alone speaks, and an officer has to look.
            self._add_person(given, family, country, reference, at, born=number % 3 == 0)
        if shift < len(names.BUSINESS_NAMESAKES):
            self.quiet.add(self._add_business(*names.BUSINESS_NAMESAKES[shift]))

    def _demo_pair(self) -> None:
        for given, family, reference in (("Mirela", "Sandvik", PAYER), ("Jonas", "Aigner", PAYEE)):
            self._add_person(given, family, "AT", reference, self.start + timedelta(hours=1))
            self.quiet.add(reference)

    def _currency_of(self, country: str) -> str:
        home = _HOME_CURRENCY.get(country, "EUR")
        return (
            home
            if home in self.script.currencies
            else max(self.script.currencies, key=self.script.currencies.__getitem__)
        )

    def _wallets(self, reference: str, country: str, at: datetime, *, business: bool) -> None:
        currencies = [self._currency_of(country)]
        others = [c for c in self.script.currencies if c not in currencies]
        if business and others:
            currencies.append(self.rng.choice(others))
        elif others and self.rng.random() < self.script.second_wallets:
            currencies += self.rng.sample(others, k=min(len(others), self.rng.choice((1, 1, 2))))
        for number, currency in enumerate(currencies):
            self._wallet(reference, country, currency, at + timedelta(minutes=3 + number), business=business)

    def _wallet(self, reference: str, country: str, currency: str, at: datetime, *, business: bool) -> None:
        bank = country if country in _IBAN_COUNTRIES else "GB"
        self.wallets.append(
            WalletPlan(
                key=f"{reference}/{currency}",
                customer=reference,
                currency=currency,
                name=f"{'Business' if business else 'Everyday'} {currency}",
                iban=IBAN.random(country_code=bank, random=self.rng).compact,
                bank_minor=50_000_000_00,
                at=at,
            )
        )
