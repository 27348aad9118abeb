"""Addresses of the wallet resources, below /api/v1/."""

from django.urls import path

from wallets.api import views, views_holds, views_statements

urlpatterns = [
    path("wallets", views.WalletsView.as_view()),
    path("wallets/<str:wallet_id>", views.WalletView.as_view()),
    path("wallets/<str:wallet_id>/balances", views.BalancesView.as_view()),
    path("wallets/<str:wallet_id>/transactions", views.TransactionsView.as_view()),
    path("wallets/<str:wallet_id>/holds", views_holds.HoldsView.as_view()),
    path("wallets/<str:wallet_id>/statements", views_statements.WalletStatementsView.as_view()),
    path("wallets/<str:wallet_id>/freeze", views.FreezeView.as_view()),
    path("wallets/<str:wallet_id>/unfreeze", views.UnfreezeView.as_view()),
    path("statements/<str:statement_id>", views_statements.StatementView.as_view()),
    path("statements/<str:statement_id>/file", views_statements.StatementFileView.as_view()),
    path("exports", views_statements.ExportsView.as_view()),
    path("exports/<str:export_id>", views_statements.ExportView.as_view()),
    path("exports/<str:export_id>/file", views_statements.ExportFileView.as_view()),
    path("customers/<str:customer_id>/limits", views.LimitsView.as_view()),
    path("bank_accounts", views.BankAccountsView.as_view()),
    path("bank_accounts/<str:bank_account_id>", views.BankAccountView.as_view()),
    path("deposits", views.DepositsView.as_view()),
    path("deposits/<str:deposit_id>", views.DepositView.as_view()),
    path("withdrawals", views.WithdrawalsView.as_view()),
    path("withdrawals/<str:withdrawal_id>", views.WithdrawalView.as_view()),
]
