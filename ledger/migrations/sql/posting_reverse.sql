DROP FUNCTION ledger_post(jsonb);
DROP FUNCTION ledger_post_many(jsonb);
