"""Forms of the pages of bank accounts, files and CSV mappings."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from ledger.choices import ChartKind
from ledger.choices_bank import CsvSign
from ledger.models.accounts import Account
from ledger.models.reconciliation import CsvMapping, HouseBankAccount
from ledger.reconciliation.csv_files import ENCODINGS

_INPUT, _SELECT = {"class": "input"}, {"class": "select"}
DATE_FORMATS = (
    ("%Y-%m-%d", "2026-11-30"),
    ("%d.%m.%Y", "30.11.2026"),
    ("%d.%m.%y", "30.11.26"),
    ("%d/%m/%Y", "30/11/2026"),
    ("%m/%d/%Y", "11/30/2026"),
    ("%d-%m-%Y", "30-11-2026"),
    ("%Y%m%d", "20261130"),
    ("%d %b %Y", "30 Nov 2026"),
)
DELIMITERS = ((";", "Semicolon"), (",", "Comma"), ("\t", "Tab"), ("|", "Bar"))
# Our field, its label, and whether every mapping needs it.
COLUMN_FIELDS = (
    ("booking_date", "Booking date", True),
    ("value_date", "Value date", False),
    ("amount", "Amount", False),
    ("credit", "Money in", False),
    ("debit", "Money out", False),
    ("indicator", "Says C or D", False),
    ("balance", "Balance after the line", True),
    ("reference", "Reference of the bank", False),
    ("end_to_end_id", "Reference of the payer", False),
    ("name", "Name of the other side", False),
    ("iban", "IBAN of the other side", False),
    ("text", "Text", False),
    ("kind", "Kind", False),
)


class _AccountChoice(forms.ModelChoiceField):  # type: ignore[type-arg] # not subscriptable at run time
    """A ledger account by its heading and currency."""

    def label_from_instance(self, obj: Any) -> str:
        """Return what the list says."""
        return f"{obj.chart_account}, {obj.currency}{f' ({obj.name})' if obj.name else ''}"


def unbanked_accounts() -> QuerySet[Account]:
    """Return the house's own asset accounts that mirror no bank account yet."""
    return (
        Account.objects.filter(
            customer__isnull=True,
            partner__isnull=True,
            bank_account__isnull=True,
            chart_account__kind=ChartKind.ASSET,
        )
        .select_related("chart_account")
        .order_by("chart_account__number", "currency", "pk")
    )


class UploadForm(forms.Form):
    """A file, and for CSV the mapping to read it by."""

    file = forms.FileField(
        label="File",
        max_length=200,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "drop-input", "aria-describedby": "file-help"}),
        error_messages={"required": "Choose a file, or drop one on the field."},
    )
    mapping = forms.ModelChoiceField(
        label="CSV mapping",
        queryset=CsvMapping.objects.order_by("name"),
        required=False,
        empty_label="Tell by the first line",
        widget=forms.Select(attrs=_SELECT),
        help_text="Only where several mappings fit.",
    )


class BankAccountForm(forms.Form):
    """An account of the house at a bank."""

    account = _AccountChoice(
        label="Ledger account",
        queryset=Account.objects.none(),
        widget=forms.Select(attrs=_SELECT),
        help_text="It mirrors the bank account, in the same currency.",
    )
    name = forms.CharField(label="Name", max_length=80, widget=forms.TextInput(attrs=_INPUT))
    bank_name = forms.CharField(label="Bank", max_length=80, widget=forms.TextInput(attrs=_INPUT))
    iban = forms.CharField(label="IBAN", max_length=42, required=False, widget=forms.TextInput(attrs=_INPUT))
    other_id = forms.CharField(
        label="Other number",
        max_length=35,
        required=False,
        widget=forms.TextInput(attrs=_INPUT),
        help_text="As the bank's files write it, where they hold no IBAN.",
    )
    bic = forms.CharField(label="BIC", max_length=11, required=False, widget=forms.TextInput(attrs=_INPUT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["account"]
        if isinstance(choice, forms.ModelChoiceField):
            choice.queryset = unbanked_accounts()


class MappingForm(forms.Form):
    """How a bank writes its CSV; the columns are chosen from the heads of a file that came."""

    name = forms.CharField(label="Name", max_length=80, widget=forms.TextInput(attrs=_INPUT))
    bank_account = forms.ModelChoiceField(
        label="Bank account",
        queryset=HouseBankAccount.objects.order_by("name", "pk"),
        widget=forms.Select(attrs=_SELECT),
    )
    encoding = forms.ChoiceField(
        label="Encoding",
        choices=[(code, code.upper()) for code in ENCODINGS],
        widget=forms.Select(attrs=_SELECT),
    )
    delimiter = forms.ChoiceField(
        label="Between cells", choices=DELIMITERS, widget=forms.Select(attrs=_SELECT)
    )
    skip_lines = forms.IntegerField(
        label="Lines above the heads",
        min_value=0,
        max_value=100,
        initial=0,
        widget=forms.NumberInput(attrs=_INPUT),
    )
    date_format = forms.ChoiceField(
        label="Dates look like", choices=DATE_FORMATS, widget=forms.Select(attrs=_SELECT)
    )
    decimal_comma = forms.TypedChoiceField(
        label="Amounts look like",
        choices=(("1", "1.234,56"), ("0", "1,234.56")),
        coerce=lambda text: text == "1",
        widget=forms.Select(attrs=_SELECT),
    )
    sign = forms.ChoiceField(label="In and out", choices=CsvSign.choices, widget=forms.Select(attrs=_SELECT))
    newest_first = forms.TypedChoiceField(
        label="Order",
        choices=(("0", "Oldest line first"), ("1", "Newest line first")),
        coerce=lambda text: text == "1",
        widget=forms.Select(attrs=_SELECT),
    )

    def __init__(self, *args: Any, heads: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Not in the file"), *((head, head) for head in heads)]
        for field, label, needed in COLUMN_FIELDS:
            self.fields[f"column_{field}"] = forms.ChoiceField(
                label=label, choices=choices, required=needed, widget=forms.Select(attrs=_SELECT)
            )

    @property
    def columns(self) -> dict[str, str]:
        """Return the chosen heads by our fields."""
        return {field: self.cleaned_data.get(f"column_{field}", "") for field, _, _ in COLUMN_FIELDS}

    def settings(self) -> dict[str, Any]:
        """Return what `save_csv_mapping` takes besides name, account and columns."""
        names = (
            "encoding",
            "delimiter",
            "skip_lines",
            "date_format",
            "decimal_comma",
            "sign",
            "newest_first",
        )
        return {name: self.cleaned_data[name] for name in names}
