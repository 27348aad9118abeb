DROP TRIGGER screeninghit_no_truncate ON compliance_screeninghit;
DROP TRIGGER screeninghit_guard ON compliance_screeninghit;
DROP FUNCTION compliance_hit_guard();
DROP TRIGGER hitdecision_no_truncate ON compliance_hitdecision;
DROP TRIGGER hitdecision_no_change ON compliance_hitdecision;
DROP FUNCTION compliance_append_only();
