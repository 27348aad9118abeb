"""The ways in which the house says no to a file from a bank."""

from flowlet.core.errors import AppError, Conflict


class UnreadableBankFile(AppError):
    """
    The file cannot be read as what it claims to be; nothing of it was taken.

    `reason_code` is stable, `place` the line or element, `reason` one sentence that ends in a full stop.
    """

    code = "bank_file_unreadable"
    title = "Unreadable bank file"
    message = "{place}: {reason}"
    next_action = "ask_bank"
    next_text = "Download the file from the bank again; nothing of this one was booked."

    def __init__(self, *, reason_code: str, place: str, reason: str) -> None:
        self.reason_code, self.place, self.reason = reason_code, place, reason
        super().__init__(reason_code=reason_code, place=place, reason=reason)


class EmptyBankFile(AppError):
    """There is not a single byte in the file."""

    code = "bank_file_empty"
    http_status = 400
    title = "Empty file"
    message = "The file is empty."
    next_action = "send_file"
    next_text = "Download the file from the bank again."


class BankFileTooLarge(AppError):
    """The file is larger than what is read."""

    code = "bank_file_too_large"
    http_status = 413
    title = "File too large"
    message = "The file is larger than {max_mb} MB."
    next_action = "split_file"
    next_text = "Ask the bank for a shorter span of days."

    def __init__(self, *, max_mb: int) -> None:
        super().__init__(max_mb=max_mb)


class BankFileKnown(Conflict):
    """The same bytes came before."""

    code = "bank_file_known"
    title = "File came before"
    message = "The same file came on {on} as {file}, {name}: {state}."
    next_action = "look_at_first"
    next_text = "Look at the first one; the same file is taken once."

    def __init__(self, *, file: str, name: str, on: str, state: str) -> None:
        super().__init__(file=file, name=name, on=on, state=state.lower())


class BankFileFinal(Conflict):
    """The file has been accepted or was put aside."""

    code = "bank_file_final"
    title = "File is final"
    message = "The file is {state}; nothing more can be done with it."

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state.lower())


class BankAccountTaken(Conflict):
    """Another bank account of the house has this number, or mirrors this ledger account."""

    code = "house_bank_account_taken"
    title = "Bank account exists"
    message = "There is a bank account with this number or ledger account already."


class NoLedgerAccountOfHouse(AppError):
    """A bank account mirrors an asset account of the house in its own currency."""

    code = "not_an_asset_of_house"
    title = "Wrong ledger account"
    message = "Choose an asset account of the house in {currency}."

    def __init__(self, *, currency: str) -> None:
        super().__init__(currency=currency)
