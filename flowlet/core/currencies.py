"""ISO 4217 minor units, copied once from the maintenance agency's list one (published 2026-01-01).

The table is frozen on purpose: a change of exponent would change the meaning of every stored amount. Funds codes and
metals without a minor unit (XAU, XDR, …) are left out: nobody can hold a wallet in them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from flowlet.core.errors import AppError

_CODES_BY_EXPONENT = {
    0: ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "),
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
        "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
        "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK "
        "MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
        "RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH "
        "USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG "
    ),
    3: ("BHD IQD JOD KWD LYD OMR TND "),
    4: ("CLF UYW "),
}

EXPONENTS: Mapping[str, int] = MappingProxyType(
    {code: exponent for exponent, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
)


class UnknownCurrency(AppError):
    """The code is not an ISO 4217 currency with a minor unit."""

    code = "unknown_currency"
    http_status = 400
    title = "Unknown currency"
    message = "{currency} is not an ISO 4217 currency code that can be used here."

    def __init__(self, *, currency: str) -> None:
        super().__init__(currency=currency[:8])


def exponent(currency: str) -> int:
    """
    Return how many digits after the decimal point the currency has (JPY 0, EUR 2, KWD 3, CLF 4).

    :raises UnknownCurrency: if the code is not in the table (codes are upper case)
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(currency=currency) from None
