"""Cancelling what waits for the next run, and monitors of balances."""

from rest_framework.response import Response

from flowlet.core.clock import now
from flowlet.core.money import Money
from flowlet.gateway.openapi_schema import document, list_of
from flowlet.gateway.serializers import EmptyIn, ListQuery
from flowlet.gateway.views import ApiRequest, ApiView
from wallets import queries
from wallets.api import serializers as s
from wallets.api.views import one_of
from wallets.models import BalanceMonitor
from wallets.operations import monitors
from wallets.operations.waiting import cancel


class CancelDepositView(ApiView):
    """A deposit that waits."""

    scopes = {"POST": "wallets:write"}

    @document(
        summary="Cancel a deposit",
        description="As long as it waits for the next run.",
        request=EmptyIn,
        answer=s.MovementOut,
        example={},
    )
    def post(self, request: ApiRequest, deposit_id: str) -> Response:
        """Cancel."""
        self.validated(EmptyIn)
        rows = queries.list_deposits(partner_id=request.principal.partner_id)
        return Response(s.render_movement(cancel(row=one_of(rows, deposit_id), now=now())))


class CancelWithdrawalView(ApiView):
    """A withdrawal that waits."""

    scopes = {"POST": "wallets:write"}

    @document(
        summary="Cancel a withdrawal",
        description="As long as it waits for the next run; its money is free again.",
        request=EmptyIn,
        answer=s.MovementOut,
        example={},
    )
    def post(self, request: ApiRequest, withdrawal_id: str) -> Response:
        """Cancel."""
        self.validated(EmptyIn)
        rows = queries.list_withdrawals(partner_id=request.principal.partner_id)
        return Response(s.render_movement(cancel(row=one_of(rows, withdrawal_id), now=now())))


class MonitorsView(ApiView):
    """The monitors of a wallet."""

    scopes = {"GET": "wallets:read", "POST": "wallets:write"}
    idempotent = frozenset({"POST"})
    list_query = ListQuery

    @document(summary="List balance monitors", answer=list_of(s.MonitorOut))
    def get(self, request: ApiRequest, wallet_id: str) -> Response:
        """Return one page, newest first, ended ones too."""
        wallet = queries.get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        rows = BalanceMonitor.objects.filter(wallet=wallet).select_related("wallet")
        return self.page(request, rows.order_by("-created_at", "-id"), s.render_monitor)

    @document(
        summary="Monitor a balance",
        description="Tells `wallet.balance_crossed` once each time the booked balance crosses the line.",
        request=s.MonitorIn,
        answer=s.MonitorOut,
        status=201,
        example={"side": "below", "threshold": 5000},
    )
    def post(self, request: ApiRequest, wallet_id: str) -> Response:
        """Watch a line."""
        values = self.validated(s.MonitorIn)
        wallet = queries.get_wallet(partner_id=request.principal.partner_id, public_id=wallet_id)
        monitor = monitors.add_monitor(
            wallet_id=wallet.pk,
            side=values["side"],
            threshold=Money(values["threshold"], wallet.currency),
            now=now(),
        )
        return Response(s.render_monitor(monitor), status=201)


class EndMonitorView(ApiView):
    """One monitor."""

    scopes = {"POST": "wallets:write"}

    @document(
        summary="End a balance monitor",
        description="It tells nothing any more; safe to repeat.",
        request=EmptyIn,
        answer=s.MonitorOut,
        example={},
    )
    def post(self, request: ApiRequest, monitor_id: str) -> Response:
        """End it."""
        self.validated(EmptyIn)
        rows = BalanceMonitor.objects.filter(wallet__partner_id=request.principal.partner_id)
        monitor = one_of(rows.select_related("wallet"), monitor_id)
        monitors.end_monitor(monitor_id=monitor.pk, now=now())
        monitor.refresh_from_db(fields=["ended_at"])
        return Response(s.render_monitor(monitor))
