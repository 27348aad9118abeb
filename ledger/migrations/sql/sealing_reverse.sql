DROP FUNCTION ledger_unsealed(date);
DROP FUNCTION ledger_unsealed_transactions();
DROP FUNCTION ledger_erase_text(bigint, text);
DROP TRIGGER anchor_guard ON ledger_anchor;
DROP FUNCTION ledger_anchor_guard();
DROP TRIGGER day_total_guarded ON ledger_daytotal;
DROP TRIGGER day_total_kept ON ledger_daytotal;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_block', 'ledger_sealedtransaction', 'ledger_sealedholdevent', 'ledger_anchor',
                                'ledger_anchorcopy', 'ledger_texterasure', 'ledger_daytotal'] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS append_only ON %I', name);
        EXECUTE format('DROP TRIGGER IF EXISTS append_only_whole ON %I', name);
        EXECUTE format('DROP TRIGGER IF EXISTS sealer_only ON %I', name);
    END LOOP;
END $$;
DROP FUNCTION ledger_seal();
DROP TRIGGER seal_block ON ledger_block;
DROP FUNCTION ledger_seal_block();
DROP FUNCTION ledger_block_digests(bigint);
