DROP TRIGGER wallets_wallet_keep ON wallets_wallet;
DROP FUNCTION wallets_keep_wallet();
DROP TRIGGER wallets_withdrawal_refuse_truncate ON wallets_withdrawal;
DROP TRIGGER wallets_withdrawal_refuse_change ON wallets_withdrawal;
DROP TRIGGER wallets_deposit_refuse_truncate ON wallets_deposit;
DROP TRIGGER wallets_deposit_refuse_change ON wallets_deposit;
