"""What an API client may be allowed to do; each scope is a resource and a verb."""

from types import MappingProxyType

SCOPES = MappingProxyType(
    {
        "assistant:read": "Read support chats",
        "assistant:write": "Hold support chats for customers",
        "analytics:read": "Read spending and other figures",
        "bank_accounts:read": "Read the bank accounts of customers",
        "bank_accounts:write": "Link bank accounts",
        "cards:read": "Read cards, their limits, authorisations and transactions",
        "cards:write": "Issue, freeze and close cards, set their limits",
        "customers:read": "Read customers",
        "customers:write": "Create customers",
        "events:read": "Read events",
        "kyc:read": "Read how the identification of customers stands",
        "kyc:write": "Send data and documents of customers",
        "network": "Send authorisations and clearings as the card network does",
        "payments:read": "Read payments",
        "payments:write": "Make payments",
        "settings:read": "Read settings of messages and codes",
        "settings:write": "Change settings of messages and codes",
        "statements:read": "Read statements and fetch exports",
        "statements:write": "Ask for statements and exports",
        "wallets:read": "Read wallets, balances and histories",
        "wallets:write": "Open and freeze wallets, deposit, withdraw and exchange",
    }
)
