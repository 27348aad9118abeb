DROP TRIGGER payments_payment_check_wallets ON payments_payment;
DROP FUNCTION payments_check_wallets();
DROP TRIGGER payments_payment_refuse_truncate ON payments_payment;
DROP TRIGGER payments_payment_refuse_change ON payments_payment;
