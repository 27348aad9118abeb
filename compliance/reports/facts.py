"""What goes into a report to the authority: plain values, no ORM, no clock. Amounts in US cents."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where somebody lives or works; what is not known stays empty. `country` is ISO 3166 alpha-2."""

    street: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """A number that names somebody: a code of the schema (6 passport, 7 other), the number, who gave it."""

    code: str
    number: str
    country: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filer:
    """
    Who files: the institution, its contact office and its number at the authority.

    `tin` is the institution's employer number, nine digits; `tcc` its transmitter control code.
    """

    name: str
    tin: str
    tcc: str
    address: Address
    contact: str
    phone: str
    sandbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A person or business of the report; a business has its name in `last_name`."""

    last_name: str
    first_name: str = ""
    business: bool = False
    birth_date: date | None = None
    address: Address = field(default_factory=Address)
    phone: str = ""
    identifications: tuple[Identification, ...] = ()
    accounts: tuple[str, ...] = ()
    cash_in_cents: int = 0
    cash_out_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SarFacts:
    """
    A suspicious activity report.

    `classes` are pairs of the schema's type and subtype codes. `prior_bsa_id` names what it corrects or continues.
    """

    filer: Filer
    subjects: tuple[Subject, ...]
    filed_on: date
    from_date: date
    to_date: date
    total_cents: int
    classes: tuple[tuple[str, str], ...]
    narrative: str
    prior_bsa_id: str = ""
    corrects: bool = False
    continues: bool = False
    attachment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CtrFacts:
    """A currency transaction report: one person's cash of one business day, in and out apart."""

    filer: Filer
    subject: Subject
    filed_on: date
    day: date
    aggregated: bool
    prior_bsa_id: str = ""
