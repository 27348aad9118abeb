DROP TRIGGER vendor_event_guard ON integrations_vendorevent;
DROP FUNCTION integrations_guard_event();
DROP TRIGGER vendor_call_refuse_update ON integrations_vendorcall;
