"""The wallet resources of the API: each handler makes one operation or query."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import QuerySet
from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.errors import AppError, FieldError, InvalidInput, NotFound
from flowlet.core.money import Money
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.rendering import Answer
from flowlet.gateway.views import ApiRequest, ApiView
from flowlet.identity.queries import get_customer
from ledger.queries.balances import list_postings
from ledger.queries.history import balances_at
from ledger.queries.holds import owed_by
from wallets import queries
from wallets.api import serializers as s
from wallets.choices import Execution, MoneySource, MovementStatus
from wallets.errors import InvalidIban, refusal_of
from wallets.limits import limits_of
from wallets.models import BankAccount, Movement, Wallet
from wallets.operations import bank
from wallets.operations import wallets as operations

_WALLET = {"customer": "cus_01K8Z5M3W4J7T2R9QX6V0BND1C", "currency": "EUR", "name": "Everyday"}
_MOVEMENT = {
    "wallet": "wal_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "bank_account": "ba_01K8Z5M3W4J7T2R9QX6V0BND1C",
    "amount": 12500,
    "currency": "EUR",
}


class WalletsView(ApiView):
    """The partner's wallets."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}
    idempotent = frozenset({"POST"})
    list_query = s.WalletQuery
    costs = {"GET": 2}

    @document(summary="List wallets", answer=list_of(s.WalletOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), queries.list_wallets(partner_id=request.principal.partner_id)
        rows = rows.filter(**{name: query[name] for name in ("currency", "status") if name in query})
        if "customer" in query:
            rows = rows.filter(customer__public_id=query["customer"])
        return self.page(request, rows, s.render_wallet)

    @document(
        summary="Open a wallet",
        description="A customer has one open wallet for each currency and purpose.",
        request=s.WalletIn,
        answer=s.WalletOut,
        status=201,
        example=_WALLET,
    )
    def post(self, request: ApiRequest) -> Response:
        """Open an empty wallet."""
        values = self.validated(s.WalletIn)
        customer = _named(get_customer, request, values.pop("customer"), "/customer")
        wallet = operations.open_wallet(customer_id=customer.pk, now=now(), **values)
        return Response(
            s.render_wallet(wallet), status=201, headers={"Location": f"/api/v1/wallets/{wallet.public_id}"}
        )


class WalletView(ApiView):
    """One wallet."""

    scopes = {"GET": "wallets:read"}

    @document(summary="Show a wallet", answer=s.WalletOut)
    def get(self, request: ApiRequest, wallet_id: str) -> Response:
        """Return the wallet."""
        return Response(s.render_wallet(_wallet(request, wallet_id)))


class BalancesView(ApiView):
    """What a wallet holds."""

    scopes = {"GET": "wallets:read"}

    @document(
        summary="Show a wallet's balance",
        description="Now, or with `at` as it was at that instant, whatever came since.",
        answer=s.BalanceOut,
        parameters=[s.BalanceQuery],
    )
    def get(self, request: ApiRequest, wallet_id: str) -> Response:
        """Return the present balance, which is never cached, or that of an instant."""
        at = self.query(s.BalanceQuery).get("at")
        wallet = queries.get_wallet_with_balance(partner_id=request.principal.partner_id, public_id=wallet_id)
        if at is not None:
            return Response(s.render_balance_at(wallet, balances_at(wallet.account, at)))
        return Response(s.render_balance(wallet, owed_by(wallet.account_id)))


class TransactionsView(ApiView):
    """A wallet's history."""

    scopes = {"GET": "wallets:read"}
    list_query = s.TransactionQuery
    costs = {"GET": 2}
    order = ("-account_seq",)

    @document(
        summary="List a wallet's entries",
        description="In booking order, newest first; the sequence has no gaps.",
        answer=list_of(s.TransactionOut),
    )
    def get(self, request: ApiRequest, wallet_id: str) -> Response:
        """Return one page of entries."""
        wallet = queries.get_wallet_with_balance(partner_id=request.principal.partner_id, public_id=wallet_id)
        rows = list_postings(wallet.account_id).select_related("transaction__text")
        return self.page(request, rows, partial(s.render_entry, sign=wallet.account.balance.sign))


class LimitsView(ApiView):
    """How much a customer may still move."""

    scopes = {"GET": "wallets:read"}

    @document(
        summary="Show a customer's limits",
        description="For each currency in which the customer has an open wallet; days and months are those of your time zone.",
        answer=s.LimitsOut,
    )
    def get(self, request: ApiRequest, customer_id: str) -> Response:
        """Return what the limits are and what is left now."""
        customer = get_customer(partner_id=request.principal.partner_id, public_id=customer_id)
        currencies = queries.open_currencies(customer.pk)
        return Response(s.render_limits(customer, limits_of(customer, currencies=currencies, now=now())))


class BankAccountsView(ApiView):
    """Bank accounts of the partner's customers."""

    scopes = {"GET": "bank_accounts:read", "POST": "bank_accounts:write"}
    idempotent = frozenset({"POST"})
    list_query = s.CustomerQuery
    costs = {"GET": 2}

    @document(summary="List bank accounts", answer=list_of(s.BankAccountOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        query, rows = self.query(), queries.list_bank_accounts(partner_id=request.principal.partner_id)
        if "customer" in query:
            rows = rows.filter(customer__public_id=query["customer"])
        return self.page(request, rows, s.render_bank_account)

    @document(
        summary="Link a bank account",
        description="An account of the sandbox's built-in bank, with money on it.",
        request=s.BankAccountIn,
        answer=s.BankAccountOut,
        status=201,
        example={
            "customer": "cus_01K8Z5M3W4J7T2R9QX6V0BND1C",
            "iban": "DE89370400440532013000",
            "currency": "EUR",
        },
    )
    def post(self, request: ApiRequest) -> Response:
        """Link it."""
        values = self.validated(s.BankAccountIn)
        customer = _named(get_customer, request, values["customer"], "/customer")
        balance = values.get("balance", bank.OPENING_MINOR)
        try:
            account = bank.add_bank_account(
                customer_id=customer.pk,
                iban=values["iban"],
                currency=values["currency"],
                balance_minor=balance,
                now=now(),
            )
        except InvalidIban as fault:
            fault.errors = (FieldError("/iban", fault.code, fault.detail),)
            raise
        where = {"Location": f"/api/v1/bank_accounts/{account.public_id}"}
        return Response(s.render_bank_account(account), status=201, headers=where)


class BankAccountView(ApiView):
    """One bank account."""

    scopes = {"GET": "bank_accounts:read"}

    @document(summary="Show a bank account", answer=s.BankAccountOut)
    def get(self, request: ApiRequest, bank_account_id: str) -> Response:
        """Return the bank account."""
        account = queries.get_bank_account(partner_id=request.principal.partner_id, public_id=bank_account_id)
        return Response(s.render_bank_account(account))


class DepositsView(ApiView):
    """Money in."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}
    idempotent = frozenset({"POST"})
    list_query = s.MovementQuery
    costs = {"GET": 2}

    @document(summary="List deposits", answer=list_of(s.MovementOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        rows = queries.list_deposits(partner_id=request.principal.partner_id)
        return self.page(request, _narrowed(rows, self.query()), s.render_movement)

    @document(
        summary="Deposit money",
        description="From a bank account of the same customer, or cash an agent took, into a wallet, at once. A refusal is kept: its problem "
        "names the deposit.",
        request=s.MovementIn,
        answer=s.MovementOut,
        status=201,
        example=_MOVEMENT,
    )
    def post(self, request: ApiRequest) -> Response | Answer:
        """Deposit."""
        row = _move(self, request, by_bank=bank.deposit, by_cash=bank.deposit_cash)
        return _answer(self, row, "deposits")


class DepositView(ApiView):
    """One deposit."""

    scopes = {"GET": "wallets:read"}

    @document(summary="Show a deposit", answer=s.MovementOut)
    def get(self, request: ApiRequest, deposit_id: str) -> Response:
        """Return the deposit."""
        rows = queries.list_deposits(partner_id=request.principal.partner_id)
        return Response(s.render_movement(one_of(rows, deposit_id)))


class WithdrawalsView(ApiView):
    """Money out."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}
    idempotent = frozenset({"POST"})
    list_query = s.MovementQuery
    costs = {"GET": 2}

    @document(summary="List withdrawals", answer=list_of(s.MovementOut))
    def get(self, request: ApiRequest) -> Response:
        """Return one page, newest first."""
        rows = queries.list_withdrawals(partner_id=request.principal.partner_id)
        return self.page(request, _narrowed(rows, self.query()), s.render_movement)

    @document(
        summary="Withdraw money",
        description="From a wallet to a bank account of the same customer, or as cash, at once. A refusal is kept: its problem "
        "names the withdrawal.",
        request=s.MovementIn,
        answer=s.MovementOut,
        status=201,
        example=_MOVEMENT,
    )
    def post(self, request: ApiRequest) -> Response | Answer:
        """Withdraw."""
        row = _move(self, request, by_bank=bank.withdraw, by_cash=bank.withdraw_cash)
        return _answer(self, row, "withdrawals")


class WithdrawalView(ApiView):
    """One withdrawal."""

    scopes = {"GET": "wallets:read"}

    @document(summary="Show a withdrawal", answer=s.MovementOut)
    def get(self, request: ApiRequest, withdrawal_id: str) -> Response:
        """Return the withdrawal."""
        rows = queries.list_withdrawals(partner_id=request.principal.partner_id)
        return Response(s.render_movement(one_of(rows, withdrawal_id)))


def _wallet(request: ApiRequest, public_id: str) -> Wallet:
    return queries.get_wallet(partner_id=request.principal.partner_id, public_id=public_id)


def _named(find: Any, request: ApiRequest, public_id: str, pointer: str) -> Any:
    """Return the object a body names; a missing one points at the field."""
    try:
        return find(partner_id=request.principal.partner_id, public_id=public_id)
    except NotFound:
        fault = FieldError(pointer, "not_found", "There is no such object.")
        raise NotFound(errors=(fault,)) from None


def _move(
    view: ApiView,
    request: ApiRequest,
    *,
    by_bank: Callable[..., Movement],
    by_cash: Callable[..., Movement],
) -> Movement:
    """Read the body and call the operation that fits its method."""
    values = view.validated(s.MovementIn)
    cash = values["method"] == MoneySource.CASH
    needed, foreign = ("location", "bank_account") if cash else ("bank_account", "location")
    faults = [FieldError(f"/{needed}", "required", "This method needs it.")] if needed not in values else []
    if cash and values["execution"] != Execution.INSTANT:
        faults.append(FieldError("/execution", "invalid_choice", "Cash moves at once."))
    if foreign in values:
        faults.append(FieldError(f"/{foreign}", "unknown_field", "This method has none."))
    if faults:
        raise InvalidInput(errors=tuple(faults))
    wallet: Wallet = _named(queries.get_wallet, request, values["wallet"], "/wallet")
    common = {
        "wallet_id": wallet.pk,
        "amount": Money(values["amount"], values["currency"]),
        "idempotency_key": request.idempotency_key or None,
        "now": now(),
    }
    if cash:
        return by_cash(location=values["location"], **common)
    account: BankAccount = _named(queries.get_bank_account, request, values["bank_account"], "/bank_account")
    return by_bank(bank_account_id=account.pk, execution=values["execution"], **common)


def _answer(view: ApiView, row: Movement, resource: str) -> Response | Answer:
    """Render a movement; a refused one is a problem that is kept together with its row."""
    if row.status == MovementStatus.REFUSED:
        error: AppError = refusal_of(code=row.refusal_code, detail=row.refusal_detail)
        return view.refusal(error, object_id=row.public_id)
    where = {"Location": f"/api/v1/{resource}/{row.public_id}"}
    return Response(s.render_movement(row), status=201, headers=where)


def _narrowed(rows: QuerySet[Any], query: dict[str, Any]) -> QuerySet[Any]:
    if "wallet" in query:
        rows = rows.filter(wallet__public_id=query["wallet"])
    return rows.filter(status=query["status"]) if "status" in query else rows


def one_of(rows: QuerySet[Any], public_id: str) -> Any:
    """Return the row of that public id; `NotFound` if it is not among them."""
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise NotFound
    return row
