DROP FUNCTION ledger_partition_postings();
DROP FUNCTION ledger_make_partitions(int);
DROP FUNCTION ledger_guard_partition(text);
DROP FUNCTION ledger_posting_is_partitioned();
