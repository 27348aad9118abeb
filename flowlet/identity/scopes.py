"""What an API client may be allowed to do; each scope is a resource and a verb."""

from types import MappingProxyType

SCOPES = MappingProxyType(
    {
        "analytics:read": "Read spending and other figures",
        "bank_accounts:read": "Read the bank accounts of customers",
        "bank_accounts:write": "Link bank accounts",
        "customers:read": "Read customers",
        "customers:write": "Create customers",
        "events:read": "Read events",
        "kyc:read": "Read how the identification of customers stands",
        "kyc:write": "Send data and documents of customers",
        "payments:read": "Read payments",
        "payments:write": "Make payments",
        "wallets:read": "Read wallets, balances and histories",
        "wallets:write": "Open and freeze wallets, deposit and withdraw",
    }
)
