"""
The story: three invented partners over ninety days, the same for the same day and scale.

Everything random comes from one seeded generator per partner. Balances are played through, so that payments are
covered unless the story wants a refusal.
"""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from flowlet.demo.customers import PAYEE, PAYER, Crowd
from flowlet.demo.plan import Act, PartnerPlan, WalletPlan
from flowlet.demo.scripts import SCRIPTS, Script

DAYS = 90
PAYMENTS = 10_000
SEED = 20_260
_WEEK = (1.0, 0.95, 1.0, 1.1, 1.35, 1.05, 0.6)  # Monday to Sunday
_HOURS = (6, 7, 7, 8, 8, 9, 9, 10, 11, 11, 12, 12, 12, 13, 14, 15, 16, 17, 17, 18, 18, 18, 19, 19, 20, 21)


def tell(*, now: datetime, scale: float = 1.0) -> list[PartnerPlan]:
    """Return the plans of all partners; the last acts happen shortly before `now`."""
    return [_Teller(script, now=now, scale=scale).tell() for script in SCRIPTS]


class _Teller:
    """Plays one partner's ninety days."""

    def __init__(self, script: Script, *, now: datetime, scale: float) -> None:
        self.script, self.now, self.scale = script, now, scale
        self.rng = random.Random(f"{SEED}|{script.slug}")  # noqa: S311 - a story, not a secret
        self.start = (now - timedelta(days=DAYS)).replace(hour=6, minute=0, second=0, microsecond=0)
        self.plan = PartnerPlan(script.slug, script.name, script.country)
        self.balance: dict[str, int] = {}
        self.stopped: dict[str, datetime] = {}
        self.by_currency: dict[str, list[WalletPlan]] = {}
        self.businesses: set[str] = set()
        self.quiet: set[str] = set()

    def tell(self) -> PartnerPlan:
        crowd = Crowd(self.script, self.rng, start=self.start, now=self.now, scale=self.scale)
        self.plan.customers, self.plan.wallets = crowd.customers, crowd.wallets
        self.quiet = crowd.quiet
        self.businesses = {c.reference for c in crowd.customers if c.kind == "BUSINESS"}
        for wallet in crowd.wallets:
            self.balance[wallet.key] = 0
            if wallet.customer not in self.quiet:
                self.by_currency.setdefault(wallet.currency, []).append(wallet)
        self._open_purses()
        self._stops()
        self._namesakes_try()
        days = [self.start.date() + timedelta(days=n) for n in range(DAYS + 1)]
        budget = self._budget(days)
        for day, count in zip(days, budget, strict=True):
            self._day(day, count)
        self.plan.acts.sort(key=lambda act: act.at)
        return self.plan

    def _budget(self, days: Sequence[date]) -> list[int]:
        """Share the payments of the partner over the days: weekdays, a slow growth, some noise."""
        grown = [
            _WEEK[day.weekday()] * (0.75 + 0.5 * at / DAYS) * self.rng.uniform(0.85, 1.15)
            for at, day in enumerate(days)
        ]
        grown[-1] *= sum(hour < self.now.hour for hour in _HOURS) / len(_HOURS)  # today is not over
        wanted = max(0, round(PAYMENTS * self.script.share * self.scale) - self._salaries(days))
        unit = wanted / sum(grown)
        return [round(weight * unit) for weight in grown]

    def _salaries(self, days: Sequence[date]) -> int:
        if not self.script.salaries:
            return 0
        return sum(_is_salary_day(day) for day in days) * len(self._employees())

    def _employees(self) -> list[WalletPlan]:
        return [w for w in self.plan.wallets if w.customer not in self.businesses | self.quiet]

    def _open_purses(self) -> None:
        """Fill every wallet once, soon after it was opened."""
        for wallet in self.plan.wallets:
            business = wallet.customer in self.businesses
            minor = self._minor(
                wallet.currency, self.rng.uniform(2_000, 9_000) if business else self.rng.uniform(150, 1_200)
            )
            self._act(
                wallet.at + timedelta(minutes=self.rng.randint(5, 600)), "DEPOSIT", wallet.key, minor=minor
            )
            self.balance[wallet.key] += minor

    def _stops(self) -> None:
        """Freeze a few wallets and customers by hand of the house, some for good, some for days."""
        usual = [w for w in self.plan.wallets if w.customer not in self.quiet | self.businesses]
        chosen = self.rng.sample(usual, k=min(len(usual), max(3, round(5 * self.scale))))
        for number, wallet in enumerate(chosen):
            at = self.now - timedelta(days=self.rng.randint(4, 40), hours=self.rng.randint(1, 9))
            verb = ("FREEZE_WALLET", "FREEZE_CUSTOMER", "NO_IN", "FREEZE_BY_PARTNER")[number % 4]
            self._act(at, verb, wallet.key)
            self.stopped[wallet.key] = at
            if number == 0:
                self._act(at + timedelta(days=2, hours=3), "UNFREEZE_WALLET", wallet.key)
                del self.stopped[wallet.key]

    def _namesakes_try(self) -> None:
        """Let those who wait for an officer get money, and try to pay: they are told to wait."""
        for wallet in self.plan.wallets:
            others = self.by_currency.get(wallet.currency, [])
            if wallet.customer not in self.quiet or wallet.customer in (PAYER, PAYEE) or not others:
                continue
            for _ in range(self.rng.randint(1, 3)):
                at = wallet.at + (self.now - wallet.at) * self.rng.uniform(0.3, 0.95)
                text, value = self._occasion(business=False)
                minor = self._minor(wallet.currency, min(value, 120))
                self._act(at, "PAY", wallet.key, self.rng.choice(others).key, minor, text)

    def _day(self, day: date, count: int) -> None:
        if self.script.salaries and _is_salary_day(day):
            self._pay_salaries(day)
        if day.weekday() == 4:  # noqa: PLR2004 - Friday
            self._cash_out(day)
        for at in sorted(self._moment(day) for _ in range(count)):
            self._payment(at)

    def _moment(self, day: date) -> datetime:
        today = day == self.now.date()
        hours = [hour for hour in _HOURS if not today or hour < self.now.hour] or [0]
        at = datetime(day.year, day.month, day.day, self.rng.choice(hours), tzinfo=UTC)
        at += timedelta(minutes=self.rng.randint(0, 59), seconds=self.rng.randint(0, 59))
        return min(at, self.now - timedelta(minutes=2))

    def _payment(self, at: datetime) -> None:
        currency = self.rng.choices(
            list(self.script.currencies), weights=list(self.script.currencies.values())
        )[0]
        there = [w for w in self.by_currency.get(currency, []) if w.at + timedelta(hours=12) < at]
        if len(there) < 2:  # noqa: PLR2004 - a payer and a payee
            return
        payer = self.rng.choice(there)
        business = payer.customer in self.businesses
        payees = [w for w in there if w.customer != payer.customer]
        shops = [w for w in payees if w.customer in self.businesses]
        if not business and shops and self.rng.random() < self.script.to_business:
            payees = shops
        if not payees:
            return
        payee = self.rng.choice(payees)
        text, value = self._occasion(business=business)
        self._pay(at, payer, payee, self._minor(currency, value), text)

    def _occasion(self, *, business: bool) -> tuple[str, float]:
        words, low, high = self.rng.choice(self.script.refunds if business else self.script.occasions)
        return words.format(n=self.rng.randint(1_000, 9_999)), self.rng.triangular(
            low, high, low + (high - low) * 0.25
        )

    def _pay(self, at: datetime, payer: WalletPlan, payee: WalletPlan, minor: int, text: str) -> None:
        short = minor - self.balance[payer.key]
        stopped = any(key in self.stopped and self.stopped[key] < at for key in (payer.key, payee.key))
        if stopped and self.rng.random() > 0.3:  # noqa: PLR2004 - whoever is stopped tries less often
            return
        if short > 0 and self.rng.random() > self.script.bounces and not stopped:
            self._top_up(at, payer, short)
            short = 0
        self._act(at, "PAY", payer.key, payee.key, minor, text)
        if short <= 0 and not stopped:
            self.balance[payer.key] -= minor
            self.balance[payee.key] += minor

    def _top_up(self, at: datetime, wallet: WalletPlan, short: int) -> None:
        minor = (
            self._minor(wallet.currency, 0) + short + self._minor(wallet.currency, self.rng.uniform(100, 900))
        )
        self._act(at - timedelta(seconds=self.rng.randint(40, 240)), "DEPOSIT", wallet.key, minor=minor)
        self.balance[wallet.key] += minor

    def _pay_salaries(self, day: date) -> None:
        employers = [w for w in self.plan.wallets if w.customer in self.businesses]
        at = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
        for number, employee in enumerate(self._employees()):
            own = [w for w in employers if w.currency == employee.currency and w.at < at]
            if not own or employee.at >= at or at > self.now - timedelta(minutes=5):
                continue
            employer = own[number % len(own)]
            minor = self._minor(employee.currency, 1_900 + 37 * (number % 60))
            moment = at + timedelta(minutes=5 + number // 4, seconds=number % 50)
            if self.balance[employer.key] < minor:
                self._top_up(moment, employer, minor * 12)
            self._pay(moment, employer, employee, minor, f"Salary {day:%B %Y}")

    def _cash_out(self, day: date) -> None:
        """On Fridays businesses, and some people, take money to their bank."""
        at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
        for wallet in self.plan.wallets:
            business = wallet.customer in self.businesses
            if at > self.now or (not business and self.rng.random() > 0.03):  # noqa: PLR2004 - few people do
                continue
            minor = self.balance[wallet.key] * 6 // 10
            if minor < self._minor(wallet.currency, 300) or wallet.key in self.stopped:
                continue
            moment = at + timedelta(minutes=self.rng.randint(0, 50))
            self._act(moment, "WITHDRAW", wallet.key, minor=minor)
            self.balance[wallet.key] -= minor

    def _act(
        self, at: datetime, verb: str, wallet: str, other: str = "", minor: int = 0, text: str = ""
    ) -> None:
        at = min(at, self.now - timedelta(minutes=1))
        self.plan.acts.append(Act(at, verb, wallet, other, minor, text))

    def _minor(self, currency: str, value: float) -> int:
        """Return a value of about so many euros in minor units of the currency, rounded as people would."""
        unit, step = {"JPY": (160, 10), "KWD": (330, 5)}.get(currency, (100, 1))
        return max(step, round(value * unit / step) * step)


def _is_salary_day(day: date) -> bool:
    """The 25th, or the Friday before when that is a weekend."""
    friday = day.weekday() == 4  # noqa: PLR2004 - Friday
    return (day.day == 25 and day.weekday() < 5) or (friday and day.day in (23, 24))  # noqa: PLR2004 - as above
