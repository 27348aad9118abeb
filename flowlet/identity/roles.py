"""Which role may do what: the one table, kept equal in the database after each migration."""

from collections import defaultdict
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

_SEE_MONEY = (
    *("identity.view_customer", "identity.view_restriction"),
    *("wallets.view_wallet", "wallets.view_deposit", "wallets.view_withdrawal", "payments.view_payment"),
)
_CARDS = ("cards.view_card", "cards.view_cardauthorization", "cards.view_cardtransaction")
_CARD_FREEZE = ("cards.freeze_card",)
_CARD_WORK = (*_CARD_FREEZE, "cards.unfreeze_card", "cards.close_card")
_LEDGER = (
    *("ledger.view_account", "ledger.view_ledgertransaction", "ledger.view_posting"),
    "ledger.view_trialbalance",
)
_STATEMENTS = ("ledger.view_statement", "ledger.view_exportjob")
_BOOKS = (
    *("ledger.view_period", "ledger.view_journaldraft", "ledger.make_journal", "ledger.close_period"),
    "ledger.export_books",
)
_BOOKS_CHECK = (
    *("ledger.approve_journal", "ledger.post_in_closing", "ledger.reopen_period", "ledger.approve_reopen"),
    "ledger.reverse_ledgertransaction",
)
_BOOKS_READ = ("ledger.view_period", "ledger.view_journaldraft", "ledger.export_books")
_RATES = ("ledger.view_fxrate", "ledger.view_fxdeal", "wallets.view_quote")
# A partner's spread is set on its page.
_RATES_WORK = (*_RATES, "ledger.add_fxrate", "wallets.set_spread", "identity.view_partner")
_RECONCILE_SEE = (
    *("ledger.view_workbench", "ledger.view_match", "ledger.view_break"),
    *("ledger.view_safeguardingproof", "ledger.export_safeguardingproof", "ledger.view_writeoffrule"),
)
_RECONCILE = (*_RECONCILE_SEE, "ledger.make_match", "ledger.work_break", "ledger.write_off_break")
_RECONCILE_CHECK = ("ledger.approve_write_off",)
_QUEUE = ("ledger.view_queuedposting", "ledger.retry_queuedposting")
_CHAIN = ("ledger.view_block",)
_CHAIN_CHECK = (*_CHAIN, "ledger.verify_block")
_FREEZE = ("identity.freeze_customer", "wallets.freeze_wallet")
_UNFREEZE = ("identity.unfreeze_customer", "wallets.unfreeze_wallet")
_REFERENCES = ("wallets.give_incomingreference",)
_WALLET_CLOSE = ("wallets.change_wallet",)
# Asked for by one and agreed to by another of those who hold it.
_OVERDRAFT = ("ledger.change_account",)
_LIMITS = ("wallets.view_limitrule",)
# As with overdrafts; a partner's own limit is asked for on its page.
_LIMITS_WORK = (*_LIMITS, "wallets.change_limitrule", "identity.view_partner")
_BANK_FILES = (
    *(
        "ledger.view_housebankaccount",
        "ledger.view_bankfile",
        "ledger.view_bankstatement",
        "ledger.view_bankline",
    ),
    *("ledger.view_csvmapping", "ledger.view_bankannouncement", "ledger.view_processorline"),
)
_BANK_FILE_WORK = ("ledger.import_bankfile", "ledger.download_bankfile", "ledger.save_csvmapping")
_HITS = ("compliance.view_screeninghit", "compliance.decide_hit", "compliance.view_listversion")
_IDENTITIES = (
    *("compliance.view_kycapplication", "compliance.decide_kyc", "compliance.view_document"),
    "compliance.download_document",
)
_FRAUD = ("fraud.view_decision", "fraud.view_ruleversion")
_MODELS = ("fraud.view_modelartefact", "fraud.view_trainingrun")
_MODEL_WORK = ("fraud.train_model", "fraud.promote_model", "fraud.roll_back_model")
_MODEL_CHECK = ("fraud.approve_model",)
_SEE_CASES = (*("compliance.view_case", "compliance.view_alert", "compliance.view_scenarioversion"),)
_CASES = (*_SEE_CASES, "compliance.work_case", "compliance.propose_scenario")
_CASES_CHECK = ("compliance.approve_case", "compliance.approve_scenario")
_WALL = ("compliance.open_wall", "compliance.draft_report", "compliance.file_report")
_WALL_CHECK = ("compliance.approve_report",)
_TRAIL = ("audit.view_auditrecord", "audit.verify_auditrecord", "audit.export_auditrecord")

_VENDORS = ("integrations.view_vendorcall", "integrations.view_vendorevent")

_BANKS = ("integrations.view_banklink",)
_WRITTEN = ("notifications.view_message",)
_CHATS = ("assistant.view_chat",)
_FIGURES = ("analytics.view_overview", "analytics.view_payment_figures", "analytics.view_customer_figures")
_CARD_FIGURES = ("analytics.view_card_figures",)
_MONEY_FIGURES = ("analytics.view_finance_figures",)
_BUILDER = ("analytics.build_report", "analytics.export_report")

# Which acts a person may make or check is each act's own matter; this one only opens the page.
_APPROVALS = ("backoffice.view_approval",)
_HELD = ("payments.decide_payment",)
_RAILS = ("payments.check_payment",)
_JOBS = ("backoffice.view_jobrun",)

# role -> permissions (`app.codename`). Source: the table of roles in the back office design.
ROLE_PERMISSIONS: dict[str, tuple[str, ...]] = {
    "support": (*_SEE_MONEY, *_CARDS, *_BANKS, *_WRITTEN, *_CHATS, "wallets.view_quote"),
    "ops": (
        *_SEE_MONEY,
        *(*_CARDS, *_CARD_WORK),
        *(*_BANKS, *_WRITTEN, *_CHATS),
        *(*_VENDORS, "integrations.retry_vendorevent"),
        *(*_HELD, *_RAILS),
        *(*_FREEZE, *_UNFREEZE, *_REFERENCES, *_WALLET_CLOSE, *_LIMITS),
        *(*_APPROVALS, *_JOBS),
        *(*_FIGURES, *_CARD_FIGURES),
    ),
    "officer": (
        *_SEE_MONEY,
        *(*_CARDS, *_CARD_FREEZE),
        *(*_BANKS, *_LIMITS),
        *_FREEZE,
        *(*_HITS, *_IDENTITIES, *_CASES, *_WALL),
        *(*_FRAUD, *_HELD),
        *_APPROVALS,
        *(*_FIGURES, *_CARD_FIGURES),
    ),
    "lead": (
        *_SEE_MONEY,
        *(*_CARDS, *_CARD_WORK),
        *_BANKS,
        *(*_FREEZE, *_UNFREEZE, *_WALLET_CLOSE, *_OVERDRAFT, *_LIMITS_WORK),
        *(*_HITS, *_IDENTITIES, "compliance.approve_high_risk"),
        *(*_CASES, *_CASES_CHECK, *_WALL, *_WALL_CHECK),
        *(*_FRAUD, *_HELD, *_MODELS, *_MODEL_CHECK),
        *(*_APPROVALS, *_JOBS, *_TRAIL, "events.view_event"),
        *(*_FIGURES, *_CARD_FIGURES, *_BUILDER),
    ),
    "finance": (
        *_SEE_MONEY,
        *(*_RECONCILE, *_REFERENCES),
        *(*_CARDS, *_BANKS, *_LEDGER, *_QUEUE, *_RAILS, "wallets.export_statement"),
        *_STATEMENTS,
        *(*_BOOKS, *_RATES_WORK, *_LIMITS, "ledger.reverse_ledgertransaction"),
        *_CHAIN_CHECK,
        *(*_BANK_FILES, *_BANK_FILE_WORK),
        *_APPROVALS,
        *(*_FIGURES, *_CARD_FIGURES, *_MONEY_FIGURES, *_BUILDER),
    ),
    "finance_lead": (
        *_SEE_MONEY,
        *(*_RECONCILE, *_RECONCILE_CHECK),
        *(*_CARDS, *_BANKS, *_LEDGER, *_QUEUE, "wallets.export_statement"),
        *_STATEMENTS,
        *(*_BOOKS, *_BOOKS_CHECK, *_RATES_WORK, *_OVERDRAFT, *_LIMITS_WORK),
        *_CHAIN_CHECK,
        *(*_BANK_FILES, *_BANK_FILE_WORK, "ledger.open_housebankaccount"),
        *(*_APPROVALS, *_TRAIL),
        *(*_FIGURES, *_CARD_FIGURES, *_MONEY_FIGURES, *_BUILDER),
    ),
    "analyst": (
        "payments.view_payment",
        *(*_FRAUD, *_MODELS, *_MODEL_WORK),
        *_APPROVALS,
        *(*_FIGURES, *_BUILDER),
    ),
    "auditor": (
        *_SEE_MONEY,
        *_STATEMENTS,
        *(*_CARDS, *_BANKS, *_WRITTEN, *_CHATS, *_LEDGER, *_RATES, *_LIMITS, *_BANK_FILES),
        *(*_BOOKS_READ, *_CHAIN_CHECK, *_RECONCILE_SEE),
        *(*_VENDORS, *_FRAUD, *_MODELS, *_SEE_CASES),
        *(*_APPROVALS, *_JOBS, *_TRAIL, "events.view_event"),
        *(*_FIGURES, *_CARD_FIGURES, *_MONEY_FIGURES, *_BUILDER),
        *("identity.view_user", "identity.view_partner", "identity.view_apiclient"),
    ),
    "data_protection": (
        *("identity.view_customer", "wallets.view_wallet"),
        *("ledger.view_ledgertransaction", "ledger.delete_transactiontext"),
        "audit.view_auditrecord",
    ),
    "access": (
        *("identity.view_user", "identity.view_partner", "identity.view_apiclient"),
        "identity.change_partner",
    ),
}


def sync_roles(sender: AppConfig, **kwargs: Any) -> None:
    """Give each role exactly its permissions of the app that was just migrated (receiver of `post_migrate`)."""
    label = sender.label
    wanted: dict[str, set[str]] = defaultdict(set)
    for role, names in ROLE_PERMISSIONS.items():
        wanted[role] = {name.partition(".")[2] for name in names if name.startswith(f"{label}.")}
    if label != "identity" and not any(wanted.values()):
        return
    # Our receiver may run before Django's own, which makes the permissions.
    create_permissions(sender, verbosity=0, using=kwargs.get("using", "default"))
    own = {row.codename: row for row in Permission.objects.filter(content_type__app_label=label)}
    for role, codenames in wanted.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.remove(*(row for name, row in own.items() if name not in codenames))
        group.permissions.add(*(row for name, row in own.items() if name in codenames))
