"""The built-in words, version 0 of each template, and how marks in them are filled. No code inside, only `$name`."""

import string
from collections.abc import Mapping

from flowlet.notifications.choices import MessageKind

DEFAULT_LANGUAGE = "en"
# What each message is for, and its words by language.
KINDS: Mapping[str, MessageKind] = {
    "payment_sent": MessageKind.SERVICE,
    "payment_received": MessageKind.SERVICE,
    "payment_failed": MessageKind.SERVICE,
    "top_up_completed": MessageKind.SERVICE,
    "card_frozen": MessageKind.SECURITY,
}
BUILT_IN: Mapping[tuple[str, str], str] = {
    ("payment_sent", "en"): "$partner: you sent $amount. Reference $reference.",
    ("payment_sent", "de"): "$partner: Sie haben $amount gesendet. Referenz $reference.",
    ("payment_received", "en"): "$partner: you received $amount. Reference $reference.",
    ("payment_received", "de"): "$partner: Sie haben $amount erhalten. Referenz $reference.",
    ("payment_failed", "en"): "$partner: your payment of $amount was not made. Reference $reference.",
    ("payment_failed", "de"): "$partner: Ihre Zahlung $amount wurde nicht ausgeführt. Referenz $reference.",
    ("top_up_completed", "en"): "$partner: $amount was added to your wallet. Reference $reference.",
    ("top_up_completed", "de"): "$partner: $amount wurden Ihrem Wallet gutgeschrieben. Referenz $reference.",
    ("card_frozen", "en"): "$partner: your card was frozen. If this was not you, contact us.",
    ("card_frozen", "de"): "$partner: Ihre Karte wurde gesperrt. Waren Sie das nicht, melden Sie sich bitte.",
}
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_DOUBLE = frozenset("^{}\\[~]|€\f")
_LIMITS = {True: (160, 153), False: (70, 67)}


def fill(text: str, values: Mapping[str, str]) -> str:
    """
    Return the text with its marks filled; no-break spaces become plain ones, which every phone can show.

    :raises KeyError: if a value is missing: better no message than one with a hole
    """
    return string.Template(text).substitute(values).replace("\N{NO-BREAK SPACE}", " ")


def sms_parts(text: str) -> int:
    """Return how many parts a text takes. Source: GSM 03.38 and 03.40; 160/153 characters in GSM-7, 70/67 in UCS-2."""
    plain = all(char in _GSM7 or char in _GSM7_DOUBLE for char in text)
    if plain:
        length = len(text) + sum(char in _GSM7_DOUBLE for char in text)
    else:
        length = len(text.encode("utf-16-be")) // 2
    single, part = _LIMITS[plain]
    return 1 if length <= single else -(-length // part)
