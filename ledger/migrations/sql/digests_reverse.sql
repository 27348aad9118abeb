DROP FUNCTION ledger_block_message(bigint, smallint, bigint, integer, integer, timestamptz, integer, bytea, bytea);
DROP FUNCTION ledger_hold_event_message(ledger_hold, bigint, text, bigint, bigint, text, text, text, timestamptz,
                                        bigint, smallint, integer);
DROP FUNCTION ledger_posting_message(bigint, bigint, integer, bigint, text, bigint, date, bigint, bigint, bigint,
                                     timestamptz, integer);
DROP FUNCTION ledger_transaction_message(bigint, text, text, text, text, bytea, date, integer, bigint, bigint, text,
                                         numeric, text, jsonb, bytea, bigint, smallint, timestamptz, integer);
DROP FUNCTION ledger_part(text);
DROP FUNCTION ledger_part(bytea);
DROP FUNCTION ledger_part(bigint);
DROP FUNCTION ledger_key_install(integer, bytea);
DROP TABLE ledger_signer;
DROP TABLE ledger_keypad;
