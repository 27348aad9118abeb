DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['suspiciousactivityreport', 'currencytransactionreport', 'filing', 'acknowledgement'] LOOP
        EXECUTE format('DROP TRIGGER wall_refuse_truncate ON compliance_%s', name);
    END LOOP;
END $$;
DROP TRIGGER acknowledgement_append_only ON compliance_acknowledgement;
DROP TRIGGER filing_guard ON compliance_filing;
DROP FUNCTION compliance_guard_filing();
DROP TRIGGER ctr_guard ON compliance_currencytransactionreport;
DROP FUNCTION compliance_guard_ctr();
DROP TRIGGER sar_guard ON compliance_suspiciousactivityreport;
DROP FUNCTION compliance_guard_sar();
DROP FUNCTION compliance_report_moves(text, text);
