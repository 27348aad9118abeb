"""Fields of request bodies with one reading each: a number is a number, a text is a text, nothing is guessed."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from flowlet.core.countries import NAMES
from flowlet.core.currencies import EXPONENTS
from flowlet.core.ids import is_id

AMOUNT_MAX = 10**12
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
# Marks that turn the reading direction: they make a name look like another one to the person who checks it.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": AMOUNT_MAX, "examples": [1250]})
class AmountField(serializers.Field[int, Any, int, Any]):
    """Money in minor units: a JSON integer from 1 to 10^12. Booleans, floats and texts are refused."""

    default_error_messages = {
        "not_an_integer": "Give the amount in minor units, as a JSON integer.",
        "too_small": "The amount must be greater than zero.",
        "too_large": f"The amount is at most {AMOUNT_MAX}.",
    }

    def to_internal_value(self, data: Any) -> int:
        """
        Return the number as it came.

        :raises ValidationError: for any other type or range
        """
        if type(data) is not int:  # a bool is an int to isinstance
            self.fail("not_an_integer")
        if data <= 0:
            self.fail("too_small")
        if data > AMOUNT_MAX:
            self.fail("too_large")
        return data

    def to_representation(self, value: int) -> int:
        """Return the number."""
        return value


class CountField(serializers.Field[int, Any, int, Any]):
    """A whole number within bounds; in a query string its digits."""

    default_error_messages = {
        "not_an_integer": "This must be a whole number.",
        "out_of_range": "This must be from {minimum} to {maximum}.",
    }

    def __init__(self, *, minimum: int, maximum: int, **kwargs: Any) -> None:
        self.minimum = minimum
        self.maximum = maximum
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        """
        Return the number; texts are read only where the serializer reads a query string.

        :raises ValidationError: for any other type or range
        """
        if isinstance(data, str) and getattr(self.parent, "reads_query", False):
            if not re.fullmatch(r"-?\d{1,19}", data, re.ASCII):
                self.fail("not_an_integer")
            data = int(data)
        if type(data) is not int:
            self.fail("not_an_integer")
        if not self.minimum <= data <= self.maximum:
            self.fail("out_of_range", minimum=self.minimum, maximum=self.maximum)
        return data

    def to_representation(self, value: int) -> int:
        """Return the number."""
        return value


class StringField(serializers.Field[Any, Any, Any, Any]):
    """What all fields share that come as a JSON string."""

    default_error_messages = {"not_a_string": "This must be a string."}

    def text(self, data: Any) -> str:
        """
        Return the string.

        :raises ValidationError: for any other type
        """
        if not isinstance(data, str):
            self.fail("not_a_string")
        return data

    def to_representation(self, value: Any) -> Any:
        """Return the value."""
        return value


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]})
class CurrencyField(StringField):
    """An ISO 4217 code with a minor unit, upper case."""

    default_error_messages = {"unknown_currency": "This is not an ISO 4217 currency code."}

    def to_internal_value(self, data: Any) -> str:
        """
        Return the code.

        :raises ValidationError: if it is not in the table
        """
        code = self.text(data)
        if code not in EXPONENTS:
            self.fail("unknown_currency")
        return code


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["DE"]})
class CountryField(StringField):
    """An ISO 3166-1 alpha-2 code, upper case."""

    default_error_messages = {"unknown_country": "This is not an ISO 3166 alpha-2 country code."}

    def to_internal_value(self, data: Any) -> str:
        """
        Return the code.

        :raises ValidationError: if there is no such country
        """
        code = self.text(data)
        if code not in NAMES:
            self.fail("unknown_country")
        return code


class IdField(StringField):
    """A public id of one kind. Whether the object exists, and whose it is, is for the query to say."""

    default_error_messages = {"invalid_id": "This is not an id that starts with {prefix}_."}

    def __init__(self, *, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """
        Return the id.

        :raises ValidationError: if it has another shape
        """
        text = self.text(data)
        if not is_id(text, self.prefix):
            self.fail("invalid_id", prefix=self.prefix)
        return text


class TextField(serializers.CharField):
    """Text in Unicode's composed form; control characters and marks that turn the reading direction are refused."""

    default_error_messages = {
        "invalid": "This must be a string.",
        "control_character": "This holds a character that cannot be shown.",
    }

    def __init__(self, *, lines: bool = False, **kwargs: Any) -> None:
        self.lines = lines
        super().__init__(**kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """
        Return the text, composed and without blanks around it.

        :raises ValidationError: if it is no text, of wrong length, or holds what cannot be shown
        """
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        if isinstance(data, str):
            self._check_characters(data)
            data = unicodedata.normalize("NFC", data)
        return super().run_validation(data)

    def _check_characters(self, text: str) -> None:
        allowed = "\n\t" if self.lines else ""
        if _TURNING.search(text) or any(
            unicodedata.category(char) in {"Cc", "Cs", "Cn", "Zl", "Zp"} and char not in allowed
            for char in text
        ):
            self.fail("control_character")


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class EmailField(TextField):
    """An e-mail address: something before one @, a domain with a dot behind it."""

    default_error_messages = {"invalid_email": "This is not an e-mail address."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 254)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """
        Return the address.

        :raises ValidationError: if it does not look like one
        """
        text = super().to_internal_value(data)
        if text and not _EMAIL.fullmatch(text):
            self.fail("invalid_email")
        return text


@extend_schema_field({"type": "string", "pattern": r"^\+[1-9]\d{6,14}$", "examples": ["+4915112345678"]})
class PhoneField(StringField):
    """A phone number in E.164 form."""

    default_error_messages = {
        "invalid_phone": "Give the number in international form, such as +4915112345678."
    }

    def to_internal_value(self, data: Any) -> str:
        """
        Return the number.

        :raises ValidationError: if it has another form
        """
        text = self.text(data)
        if not _PHONE.fullmatch(text):
            self.fail("invalid_phone")
        return text


@extend_schema_field({"type": "string", "format": "date", "examples": ["1990-05-17"]})
class DayField(StringField):
    """A calendar day, YYYY-MM-DD."""

    default_error_messages = {"invalid_date": "This is not a date in the form YYYY-MM-DD."}

    def to_internal_value(self, data: Any) -> date:
        """
        Return the day.

        :raises ValidationError: if there is no such day, or it is written otherwise
        """
        text = self.text(data)
        if not _DAY.fullmatch(text):
            self.fail("invalid_date")
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fail("invalid_date")


@extend_schema_field({"type": "string", "format": "date-time", "examples": ["2026-11-02T09:30:00Z"]})
class InstantField(StringField):
    """An instant in RFC 3339, with its offset."""

    default_error_messages = {"invalid_time": "This is not a time in RFC 3339, such as 2026-11-02T09:30:00Z."}

    def to_internal_value(self, data: Any) -> datetime:
        """
        Return the instant in UTC.

        :raises ValidationError: if it is written otherwise, or there is no such time
        """
        text = self.text(data)
        if not _INSTANT.fullmatch(text):
            self.fail("invalid_time")
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid_time")


class WordField(serializers.ChoiceField):
    """One of a few words: lower case on the wire, the upper-case code inside."""

    default_error_messages = {"invalid_choice": "This is not one of {words}."}

    def __init__(self, *, codes: Mapping[str, str] | list[str] | tuple[str, ...], **kwargs: Any) -> None:
        self.words = {str(code).lower(): str(code) for code in codes}
        super().__init__(choices=list(self.words), **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """
        Return the code.

        :raises ValidationError: if the word is none of them
        """
        if not isinstance(data, str) or data not in self.words:
            self.fail("invalid_choice", words=", ".join(self.words))
        return self.words[data]

    def to_representation(self, value: Any) -> str:
        """Return the word."""
        return str(value).lower()
