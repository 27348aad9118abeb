"""Addresses of the wallet resources, below /api/v1/."""

from django.urls import path

from wallets.api import views, views_exchange, views_holds, views_statements, views_states, views_waiting

urlpatterns = [
    path("wallets", views.WalletsView.as_view()),
    path("wallets/<str:wallet_id>", views.WalletView.as_view()),
    path("wallets/<str:wallet_id>/balances", views.BalancesView.as_view()),
    path("wallets/<str:wallet_id>/transactions", views.TransactionsView.as_view()),
    path("wallets/<str:wallet_id>/holds", views_holds.HoldsView.as_view()),
    path("holds/<str:hold_id>", views_holds.HoldView.as_view()),
    path("holds/<str:hold_id>/increase", views_holds.IncreaseHoldView.as_view()),
    path("holds/<str:hold_id>/decrease", views_holds.DecreaseHoldView.as_view()),
    path("holds/<str:hold_id>/capture", views_holds.CaptureHoldView.as_view()),
    path("holds/<str:hold_id>/release", views_holds.ReleaseHoldView.as_view()),
    path("wallets/<str:wallet_id>/statements", views_statements.WalletStatementsView.as_view()),
    path("wallets/<str:wallet_id>/freeze", views_states.FreezeView.as_view()),
    path("wallets/<str:wallet_id>/unfreeze", views_states.UnfreezeView.as_view()),
    path("wallets/<str:wallet_id>/close", views_states.CloseView.as_view()),
    path("statements/<str:statement_id>", views_statements.StatementView.as_view()),
    path("statements/<str:statement_id>/file", views_statements.StatementFileView.as_view()),
    path("exports", views_statements.ExportsView.as_view()),
    path("exports/<str:export_id>", views_statements.ExportView.as_view()),
    path("exports/<str:export_id>/file", views_statements.ExportFileView.as_view()),
    path("wallets/<str:wallet_id>/monitors", views_waiting.MonitorsView.as_view()),
    path("monitors/<str:monitor_id>/end", views_waiting.EndMonitorView.as_view()),
    path("deposits/<str:deposit_id>/cancel", views_waiting.CancelDepositView.as_view()),
    path("withdrawals/<str:withdrawal_id>/cancel", views_waiting.CancelWithdrawalView.as_view()),
    path("customers/<str:customer_id>/limits", views.LimitsView.as_view()),
    path("bank_accounts", views.BankAccountsView.as_view()),
    path("bank_accounts/<str:bank_account_id>", views.BankAccountView.as_view()),
    path("deposits", views.DepositsView.as_view()),
    path("deposits/<str:deposit_id>", views.DepositView.as_view()),
    path("withdrawals", views.WithdrawalsView.as_view()),
    path("withdrawals/<str:withdrawal_id>", views.WithdrawalView.as_view()),
    path("quotes", views_exchange.QuotesView.as_view()),
    path("quotes/<str:quote_id>", views_exchange.QuoteView.as_view()),
    path("exchanges", views_exchange.ExchangesView.as_view()),
    path("exchanges/<str:exchange_id>", views_exchange.ExchangeView.as_view()),
]
