DROP FUNCTION ledger_post(jsonb);
DROP FUNCTION ledger_merged_legs(jsonb);
DROP FUNCTION ledger_post_many(jsonb);
