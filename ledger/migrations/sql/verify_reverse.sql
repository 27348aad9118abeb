DROP FUNCTION ledger_verify_recent(timestamptz);
DROP FUNCTION ledger_verify_texts();
DROP FUNCTION ledger_verify_day_totals(date);
DROP FUNCTION ledger_verify_membership();
DROP FUNCTION ledger_verify_blocks(bigint, bigint, timestamptz, integer, integer);
DROP FUNCTION ledger_verify_hold_events(bigint, bigint, timestamptz, integer, integer);
DROP FUNCTION ledger_verify_postings(bigint, bigint, timestamptz, integer, integer);
DROP FUNCTION ledger_verify_transactions(bigint, bigint, timestamptz, integer, integer);
