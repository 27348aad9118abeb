DROP TRIGGER events_refuse_truncate ON events_event;
DROP TRIGGER events_refuse_delete ON events_event;
DROP TRIGGER events_refuse_edit ON events_event;
DROP FUNCTION events_refuse_edit();
