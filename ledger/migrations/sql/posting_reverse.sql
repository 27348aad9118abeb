DROP TRIGGER queued_posting_kept_whole ON ledger_queuedposting;
DROP TRIGGER queued_posting_kept ON ledger_queuedposting;
DROP TRIGGER queued_posting_guard ON ledger_queuedposting;
DROP FUNCTION ledger_queued_posting_guard();
DROP FUNCTION ledger_post(jsonb);
DROP FUNCTION ledger_merged_legs(jsonb);
DROP FUNCTION ledger_post_many(jsonb);
