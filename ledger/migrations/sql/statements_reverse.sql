DROP TRIGGER export_part_fixed ON ledger_exportpart;
DROP TRIGGER export_file_final ON ledger_exportfile;
DROP TRIGGER export_final ON ledger_exportjob;
DROP TRIGGER append_only_whole ON ledger_statementfile;
DROP TRIGGER append_only ON ledger_statementfile;
DROP TRIGGER append_only_whole ON ledger_statement;
DROP TRIGGER append_only ON ledger_statement;
DROP TRIGGER statement_guard ON ledger_statement;
DROP FUNCTION ledger_statement_guard();
